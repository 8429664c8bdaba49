// Nodes that find each other, some of which have the bus.
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { clusterStatus, freePorts, killNode, nodeStatus, startNode } from '../../lib/nodes.js';
import { PATIENCE_MS, until, within } from '../../lib/wait.js';
import { holdings } from '../holdings.js';

const STEP_MS = 1_800_000; // half of what a clock steps by
const addressOf = n => `127.0.2.${n + 1}`;

export class Cluster {
	// open starts nodes, and resolves when each knows all. bus are the names of those that have it.
	static async open({ names, bus, tls, folder, network, binary, options = [] }) {
		const cluster = new Cluster();
		const ips = Object.fromEntries(names.map((name, i) => [name, network?.address(name) ?? addressOf(i)]));
		const buses = await Promise.all(bus.map(async name => [name, `${ips[name]}:${await freePorts(network ? network.host : ips[name])}`]));
		Object.assign(cluster, { tls, folder, network, buses: new Map(buses), options });
		cluster.nodes = names.map(name => ({ name, ip: ips[name], address: `${ips[name]}:0` }));
		try {
			await Promise.all(cluster.nodes.map(node => cluster.start(node, binary)));
			await cluster.joined();
		} catch (error) {
			cluster.end();
			throw error;
		}
		return cluster;
	}

	// start starts a node, where it was before.
	async start(node, binary) {
		const options = [...this.options, '--join', [...this.buses.values()].join(',')];
		if (this.buses.has(node.name)) {
			options.push('--bus', '--bus-address', this.buses.get(node.name));
		}
		const port = node.address.slice(node.address.lastIndexOf(':') + 1);
		Object.assign(node, await startNode(node.name, node.ip, this.tls, this.folder, port, this.network, options, binary));
	}

	kill(node) {
		return killNode(node);
	}

	// drain has a node drain, and resolves with its exit code when it has ended.
	async drain(node, limit) {
		const ended = new Promise(resolve => node.child.once('exit', resolve));
		node.child.kill('SIGTERM');
		return within(`node ${node.name} ends`, ended, limit + PATIENCE_MS);
	}

	// drains resolves when a node says that it drains.
	drains(node) {
		return until(`node ${node.name} drains`, async () => (await nodeStatus([node], this.tls))[0].draining);
	}

	// steps returns how often the wall clock of a node has stepped, by what it writes to its log. The more it writes, the more are seen.
	steps({ name }) {
		const log = fs.readFileSync(path.join(this.folder, `${name}.log`), 'utf8');
		const times = [...log.matchAll(/^time=(\S+)/gm)].map(([, time]) => Date.parse(time));
		return times.filter((time, i) => i > 0 && Math.abs(time - times[i - 1]) > STEP_MS).length;
	}

	// provoke has a node write something to its log.
	provoke({ address }) {
		const at = address.lastIndexOf(':');
		const socket = net.connect(Number(address.slice(at + 1)), address.slice(0, at), () => socket.end('no TLS'));
		return once(socket, 'close');
	}

	// versions returns the versions of all nodes, as one of them knows them.
	async versions() {
		const rows = await clusterStatus([this.nodes[0]], this.tls);
		return [...new Set(rows.map(({ version }) => version))];
	}

	// joined resolves when each of some nodes knows these, and no others, as alive.
	joined(nodes = this.nodes) {
		const names = JSON.stringify(nodes.map(({ name }) => name).sort());
		return until('the nodes know each other', async () => {
			const all = await Promise.all(nodes.map(node => clusterStatus([node], this.tls)));
			return all.every(rows => {
				const alive = rows.filter(({ condition }) => condition === 'alive').map(({ name }) => name);
				return JSON.stringify(alive.sort()) === names;
			});
		});
	}

	// serve resolves when nodes have a worker for each of so many fronts.
	serve(nodes, fronts) {
		return until('the nodes serve the applications', async () => {
			const all = await nodeStatus(nodes, this.tls);
			return all.every(status => status.fronts.filter(({ connected }) => connected).length === fronts);
		});
	}

	// counts returns how many objects of each kind the nodes hold, for all applications together.
	async counts(nodes = this.nodes) {
		const all = await nodeStatus(nodes, this.tls);
		const sum = (status, kind) => status.fronts.reduce((total, { load }) => total + load[kind], 0);
		return Object.fromEntries(nodes.map(({ name }, i) => [name, Object.fromEntries(KINDS.map(kind => [kind, sum(all[i], kind)]))]));
	}

	// holdings returns what the processes hold of the system: the ports of each for media, and all else together, since it
	// is a matter of chance which servers of the bus the others are connected with. The connections that ask are among it.
	async holdings() {
		const all = await clusterStatus([this.nodes[0]], this.tls);
		const held = this.nodes.map(({ child }) => holdings(child.pid));
		const sum = list => list.reduce((total, number) => total + number, 0);
		return {
			goroutines: sum(all.map(({ status }) => status?.goroutines ?? Infinity)), // if a node does not answer
			fronts: sum(all.map(({ status }) => status?.fronts.length ?? Infinity)),
			descriptors: sum(held.map(({ descriptors }) => descriptors)),
			sockets: sum(held.map(({ sockets }) => sockets)),
			...Object.fromEntries(this.nodes.map(({ name }, i) => [`UDP ports of ${name}`, held[i].udp.length])),
		};
	}

	// named returns a text with "its node" in place of the names and addresses of nodes.
	named(text) {
		const found = this.nodes.flatMap(({ name, address }) => [`node ${address} `, `node ${name} `]);
		return found.reduce((all, name) => all.replaceAll(name, 'its node '), text).replace(/ \[method:.*?\]/, '');
	}

	end() {
		this.nodes.forEach(({ child }) => child?.kill('SIGKILL'));
	}
}

export const KINDS = ['Transports', 'Producers', 'Consumers', 'DataProducers', 'DataConsumers'];
