// Jest loads this before each suite when nodes are killed meanwhile: it notes when each test has begun, before the suite's own hooks.
// A test ends when the next one begins.
const fs = require('node:fs');

globalThis.beforeEach(() => {
	const line = JSON.stringify({ name: globalThis.expect.getState().currentTestName, begun: Date.now() });
	fs.appendFileSync(process.env.TEST_TIMES, `${line}\n`);
});
