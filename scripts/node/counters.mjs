// Adds up what fronts did (one line of JSON each), prints it, and fails unless the mode was what it says: every node
// carried transports, and with several nodes there were relays. If nodes are killed meanwhile, some may be away for most of the time, so
// there need only be some relays. counters.mjs FILE MODE NODES
import * as fs from 'node:fs';

const MIN_RELAYS = 50;
// The suites of 3.13.0 to about 3.13.10 make 60 transports on nodes in all, others 200 and more: there can be no 50 relays.
const FEW_TRANSPORTS = 100;
const MIN_RELAYS_OF_FEW = 10;
const [file, mode, cluster] = process.argv.slice(2);

const total = { relays: 0, dataRelays: 0, dropped: 0, transports: {} };
for (const line of fs.readFileSync(file, 'utf8').trim().split('\n')) {
	const front = JSON.parse(line);
	total.relays += front.Relays;
	total.dataRelays += front.DataRelays;
	total.dropped += front.Dropped;
	for (const [node, count] of Object.entries(front.Transports)) {
		total.transports[node] = (total.transports[node] ?? 0) + count;
	}
}
console.log(`relays: ${total.relays} of media, ${total.dataRelays} of data; messages dropped: ${total.dropped}`);
for (const [node, count] of Object.entries(total.transports)) {
	console.log(`transports on ${node}: ${count}`);
}

const killed = Boolean(process.env.NODE_KILLS);
const problems = cluster
	.split(',')
	.filter(node => !(total.transports[node] > 0) && !killed)
	.map(node => `no transport was on ${node}`);
const onNodes = cluster.split(',').reduce((sum, node) => sum + (total.transports[node] ?? 0), 0);
const expected = onNodes < FEW_TRANSPORTS || killed ? MIN_RELAYS_OF_FEW : MIN_RELAYS;
if (mode !== 'remote' && total.relays + total.dataRelays < expected) {
	problems.push(`${total.relays + total.dataRelays} relays, at least ${expected} are expected`);
}
for (const problem of problems) {
	console.error(`error: ${problem}`);
}
process.exit(problems.length > 0 ? 1 : 0);
