// Runs the integration tests, one file after another, and ends with the line "N passed, N failed".
// Arguments: test files (default: all of test/).
import * as fs from 'node:fs';
import * as path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

// TEST_MINUTES extends the limit for suites that take longer.
const TOTAL_TIMEOUT_MS = Number(process.env.TEST_MINUTES ?? 10) * 60_000;
const FILE_TIMEOUT_MS = TOTAL_TIMEOUT_MS / 5;
const folder = path.join(import.meta.dirname, 'test');

const asked = process.argv.slice(2);
const files = asked.length > 0
	? asked.map(file => path.resolve(file))
	: fs.readdirSync(folder).filter(file => file.endsWith('.test.js')).sort().map(file => path.join(folder, file));

const counts = { passed: 0, failed: 0 };
const isTest = event => event.details?.type !== 'suite';

const hang = setTimeout(() => {
	console.error(`the tests took longer than ${TOTAL_TIMEOUT_MS / 60_000} minutes`);
	process.exit(1);
}, TOTAL_TIMEOUT_MS);

const stream = run({ files, concurrency: 1, timeout: FILE_TIMEOUT_MS });
stream.on('test:pass', event => (counts.passed += isTest(event) && !event.skip && !event.todo ? 1 : 0));
stream.on('test:fail', event => (counts.failed += isTest(event) ? 1 : 0));
const report = stream.compose(new spec());
report.on('data', chunk => process.stdout.write(chunk));
report.on('end', () => {
	clearTimeout(hang);
	process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
	console.log(`${counts.passed} passed, ${counts.failed} failed`);
});
