// Judges what processes held after each round, when everything was closed: what grows for ever, and what is only kept for reuse.

import { OBJECTS } from './census.js';

// EXACT are figures that must not be more in the end than in the first half of the rounds: there, what is made once is made.
const EXACT = [
	'goroutines', 'descriptors', 'sockets', ...OBJECTS, 'listeners of the channel', 'active resources', 'objects of the worker', 'entries in folders',
];
// REACHABLE are figures in bytes, garbage not counted. Maps, pools and tables keep the size that they once had, so they may be a little more.
const REACHABLE = ['live'];
const SLACK_BYTES = 512 << 10;
const SLACK = 0.05;
const MIN_ROUNDS = 4; // with fewer, nothing can be said

const MB = 1 << 20;

// growths returns what has grown, as sentences: the least of the last quarter of the rounds is compared with the most of the first half, so that
// what comes and goes is no growth. rounds are { holds }: the figures of each process by its name.
export function growths(rounds) {
	if (rounds.length < MIN_ROUNDS) {
		return [];
	}
	const first = rounds.slice(0, Math.ceil(rounds.length / 2));
	const last = rounds.slice(-Math.max(1, Math.floor(rounds.length / 4)));
	return names(rounds).flatMap(name => {
		const most = what => Math.max(...first.map(({ holds }) => holds[name]?.[what] ?? 0));
		const now = what => Math.min(...last.map(({ holds }) => holds[name]?.[what] ?? 0));
		return [
			...EXACT.filter(what => now(what) > most(what)).map(what => `${name}: ${now(what)} ${what} in the end, at most ${most(what)} before`),
			...REACHABLE.filter(what => now(what) > most(what) * (1 + SLACK) + SLACK_BYTES)
				.map(what => `${name}: ${megabytes(now(what))} MB of memory are ${what} in the end, at most ${megabytes(most(what))} before`),
		];
	});
}

export const names = rounds => [...new Set(rounds.flatMap(({ holds }) => Object.keys(holds)))];

const megabytes = bytes => (bytes / MB).toFixed(1);

// COLUMNS of the table: a title, and what is shown, in MB if it is memory.
const COLUMNS = [
	['live heap, MB', 'live', true], ['resident, MB', 'rss', true], ['goroutines', 'goroutines'], ['descriptors', 'descriptors'], ['sockets', 'sockets'],
	['transports', 'transports'],
	['listeners', 'listeners of the channel'],
];

// table returns the figures after the first round, in the middle and in the end.
export function table(rounds) {
	const shown = [rounds[0], rounds[rounds.length >> 1], rounds.at(-1)];
	const rows = names(rounds).filter(name => rounds.some(({ holds }) => holds[name]?.live)).map(name => {
		const cells = COLUMNS.map(([, what, memory]) => {
			const values = shown.map(({ holds }) => holds[name]?.[what]);
			return values.every(value => value === undefined) ? '' : values.map(value => (memory ? megabytes(value) : value)).join(' → ');
		});
		return `| ${[name, ...cells].join(' | ')} |`;
	});
	return [`| process | ${COLUMNS.map(([title]) => title).join(' | ')} |`, `|---|${COLUMNS.map(() => '---|').join('')}`, ...rows].join('\n');
}
