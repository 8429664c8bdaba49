// What processes hold: as Linux, Go's profiles and the processes' own metrics tell it.
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as path from 'node:path';
import { residentKB } from '../lib/costs.js';
import { holdings } from '../faults/holdings.js';

// OBJECTS are gauges of what an application has, and of what follows from it.
export const OBJECTS = [
	'routers', 'transports', 'transports_out_of_service', 'sctp_associations', 'producers', 'consumers', 'data_producers', 'data_consumers',
	'relays', 'channel_waiting_bytes', 'cluster_requests_waiting', 'node_link_waiting_bytes', 'directory_entries',
];
// DONE are counters that say what has happened.
const DONE = [
	'received_datagrams_total', 'sent_datagrams_total', 'rtp_received_packets_total', 'rtp_sent_packets_total', 'data_sent_messages_total',
	'consumer_retransmitted_packets_total', 'producer_key_frame_requests_total', 'requests_total', 'relays_created_total', 'internal_errors_total',
];

// Census counts what a worker or a node holds, which serves metrics and profiles by sockets in folders.
export class Census {
	constructor(name, pid, folders) {
		Object.assign(this, { name, pid, folders });
	}

	// done returns how often what has happened.
	async done() {
		const metrics = await this.#metrics();
		return Object.fromEntries(DONE.map(name => [name, metrics.get(name) ?? 0]));
	}

	// counts returns what is counted exactly.
	async counts() {
		const { descriptors, sockets } = holdings(this.pid);
		const [, goroutines] = /total (\d+)/.exec(await this.#profile('goroutine?debug=1'));
		const metrics = await this.#metrics();
		return { goroutines: Number(goroutines), descriptors, sockets, ...Object.fromEntries(OBJECTS.map(name => [name, metrics.get(name) ?? 0])) };
	}

	// memory returns bytes: live is what is reachable. Pools are empty only after two collections.
	async memory() {
		await this.#profile('heap?gc=1&debug=1');
		const text = await this.#profile('heap?gc=1&debug=1');
		const figure = name => Number(new RegExp(`^# ${name} = (\\d+)`, 'm').exec(text)[1]);
		return {
			rss: residentKB(this.pid) * 1024, live: figure('HeapAlloc'), 'heap in use': figure('HeapInuse'), 'heap idle': figure('HeapIdle'),
			'stacks': Number(/^# Stack = (\d+)/m.exec(text)[1]),
		};
	}

	// save writes profiles to a folder, to find out what is left.
	async save(folder, when) {
		const write = async (name, what) => fs.writeFileSync(path.join(folder, `${this.name}-${when}.${name}`), await this.#ask('pprof', `/debug/pprof/${what}`, null));
		await write('heap', 'heap?gc=1');
		await write('goroutines.txt', 'goroutine?debug=1');
	}

	#profile(what) {
		return this.#ask('pprof', `/debug/pprof/${what}`, 'utf8');
	}

	// #metrics returns the sum of each of the process' own metrics over all labels, without the prefix.
	async #metrics() {
		const sums = new Map();
		for (const [, name, value] of (await this.#ask('metrics', '/metrics', 'utf8')).matchAll(/^gazpacho_(\w+)(?:\{.*\})? (\S+)$/gm)) {
			sums.set(name, (sums.get(name) ?? 0) + Number(value));
		}
		return sums;
	}

	// #ask asks by a connection of its own, which is closed, so that it does not count.
	#ask(folder, url, encoding) {
		return new Promise((resolve, reject) => {
			const socketPath = path.join(this.folders, folder, `${this.pid}.sock`);
			http.get({ socketPath, path: url, agent: false, headers: { host: 'localhost', connection: 'close' } }, response => {
				const chunks = [];
				response.on('data', chunk => chunks.push(chunk));
				response.on('end', () => resolve(encoding ? Buffer.concat(chunks).toString(encoding) : Buffer.concat(chunks)));
				response.on('error', reject);
			}).on('error', reject);
		});
	}
}
