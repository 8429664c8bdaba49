// Reads known-failures.txt: the tests of mediasoup's own suites that cannot pass, with the releases and the reason.
import * as fs from 'node:fs';
import * as path from 'node:path';

const FILE = path.join(import.meta.dirname, 'known-failures.txt');

// compare orders two releases such as 3.9.17 and 3.13.0.
export function compare(a, b) {
	const x = a.split('.').map(Number);
	const y = b.split('.').map(Number);
	return x[0] - y[0] || x[1] - y[1] || x[2] - y[2];
}

// entries returns the lines of the file: "<first release> <last release> [<mode>] | <test> | <reason>".
export function entries() {
	const lines = fs.readFileSync(FILE, 'utf8').split('\n');
	return lines
		.filter(line => line && !line.startsWith('#'))
		.map(line => {
			const [releases, id, reason] = line.split(' | ').map(part => part.trim());
			const [first, last, mode] = releases.split(/\s+/);
			if (!first || !last || !id || !reason) {
				throw new Error(`${FILE}: not an entry: ${line}`);
			}
			return { first, last, mode, id, reason };
		});
}

// knownFailures returns the ids of the tests of a release that cannot pass with any worker, or not always in the mode MODE.
export function knownFailures(release) {
	const here = entries()
		.filter(e => compare(e.first, release) <= 0 && compare(release, e.last) <= 0)
		.filter(e => !e.mode || e.mode === process.env.MODE);
	return new Set(here.map(e => e.id));
}
