// What the soak test (soak/verdict.js) calls growth.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growths, table } from '../soak/verdict.js';

const MB = 1 << 20;
const COUNT = 12;

// run returns rounds in which a process holds what a function says of each.
const run = holds => Array.from({ length: COUNT }, (_, round) => ({ holds: { 'node a': holds(round) } }));
const quiet = { goroutines: 30, live: 2 * MB, transports: 3 };

test('what is the same each time, or is made once, is no growth', () => {
	assert.deepEqual(growths(run(() => quiet)), []);
	assert.deepEqual(growths(run(round => ({ ...quiet, goroutines: round < 3 ? 30 : 34, live: (round < 5 ? 2 : 3) * MB }))), []);
});

test('what comes and goes is no growth', () => {
	assert.deepEqual(growths(run(round => ({ ...quiet, goroutines: 30 + round % 3, live: (2 + round % 3) * MB }))), []);
	assert.deepEqual(growths(run(round => ({ ...quiet, goroutines: round === COUNT - 1 ? 99 : 30 }))), [], 'once');
});

test('what grows for ever is found', () => {
	const found = growths(run(round => ({ goroutines: 30 + Math.floor(round / 2), live: (2 + round / 4) * MB, transports: 3 + round })));
	assert.deepEqual(found.map(what => /(goroutines|transports|live)/.exec(what)[1]), ['goroutines', 'transports', 'live']);
	assert.ok(found.every(what => what.startsWith('node a: ')), 'whose it is');
});

test('memory may grow a little', () => {
	assert.deepEqual(growths(run(round => ({ ...quiet, live: 2 * MB + round * 40_000 }))), []);
});

test('too few rounds say nothing', () => {
	assert.deepEqual(growths(run(round => ({ ...quiet, goroutines: round })).slice(0, 3)), []);
});

test('the table has the first round, the middle and the last', () => {
	assert.match(table(run(round => ({ ...quiet, goroutines: round }))), /\| node a \| 2.0 → 2.0 → 2.0 \|.* \| 0 → 6 → 11 \|/);
});
