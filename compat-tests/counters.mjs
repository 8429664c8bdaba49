// Adds up what the workers of a run with nodes have done, and fails if a run of all suites made too few relays, left a node unused,
// or had other transports on the front's own engine than it may. run.sh calls this.
import * as fs from 'node:fs';

// Chosen here: far less than a run of all suites makes.
const LEAST_RELAYS = 50;

const [file, suites] = process.argv.slice(2);
const total = { relays: 0, transports: {} };
for (const line of fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)) {
	const counters = JSON.parse(line);
	total.relays += counters.Relays + counters.DataRelays;
	for (const [node, transports] of Object.entries(counters.Transports ?? {})) {
		total.transports[node] = (total.transports[node] ?? 0) + transports;
	}
}
const used = Object.entries(total.transports).sort().map(([node, transports]) => `${node} ${transports}`);
console.log(`relays: ${total.relays}; transports: ${used.join(', ')}`);
if (suites === 'all' && (total.relays < LEAST_RELAYS || used.length < 4)) {
	console.error(`error: fewer than ${LEAST_RELAYS} relays, or a node without transports`);
	process.exit(1);
}
