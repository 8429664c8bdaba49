// A cluster of three nodes, and an application with one person on each of them: what a fault happens to.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { clusterStatus, freePorts, killNode, nodeStatus, startBus, startNode } from '../lib/nodes.js';
import { until } from '../lib/wait.js';
import { holdings } from './holdings.js';
import { settled } from './idle.js';
import { MEDIA } from '../lib/media.js';
import { Person } from './person.js';
import { Application } from './process.js';
import { SessionProxy } from './proxy.js';

// The fault is always that of Ann's node. Which of the nodes that is depends on who comes first, and so on the seed.
export const NAMES = ['Ann', 'Bob', 'Cem'];
// Requests of Bob and Cem concern their own nodes, so that they show whether those are disturbed.
const LOAD = { rate: 200, targets: { Ann: 'Bob', Bob: 'Cem', Cem: 'Bob' } };
const OBJECTS = ['sound', 'picture', 'browser']; // transports
const ON = Object.fromEntries(MEDIA.map(({ object, on }) => [object, on]));
const BUS_HOST = '127.0.1.4';
const HOSTS = { a: '127.0.1.1', b: '127.0.1.2', c: '127.0.1.3' };
const ENOUGH_PACKETS = 50; // a second of sound
const TOP_LAYER = 2;
const AGAIN = ' again';
const NO_LAYERS = 'layerschange none';

export class Scene {
	people = new Map();
	events = [];

	// open starts everything, and resolves when everybody hears and sees the others.
	static async open({ tls, folder, random, proxies, chained, network, joined }) {
		const scene = new Scene();
		Object.assign(scene, { tls, folder, chained, network });
		const options = joined ? await scene.startBus() : [];
		scene.nodes = await Promise.all(Object.entries(HOSTS).map(([name, ip]) => startNode(name, network?.address(name) ?? ip, tls, folder, 0, network, options)));
		try {
			if (joined) {
				await scene.busWorks();
			}
			if (proxies) {
				scene.proxies = await Promise.all(scene.nodes.map(({ address }) => SessionProxy.open(address)));
			}
			scene.idle = await settled(() => scene.holdings());
			await scene.startApplication();
			await scene.enter(chained ? NAMES : shuffled(NAMES, random)); // who subscribes first is fed first
			await scene.steady();
			scene.objects = await scene.countObjects();
		} catch (error) {
			scene.end();
			throw error;
		}
		return scene;
	}

	// startBus starts a process with the bus, at the address that it had before, and returns the options of nodes that join there.
	async startBus() {
		this.busAddress ??= `${BUS_HOST}:${await freePorts(BUS_HOST)}`;
		this.bus = await startBus('bus', this.busAddress, this.tls, this.folder);
		return ['--join', this.busAddress];
	}

	// busWorks resolves when each node knows all.
	busWorks() {
		return until('the nodes know each other', async () => {
			const all = await Promise.all(this.nodes.map(node => clusterStatus([node], this.tls)));
			return all.every(rows => rows.length === this.nodes.length + 1 && rows.every(({ condition }) => condition === 'alive'));
		});
	}

	async startApplication() {
		const addresses = (this.proxies ?? this.nodes).map(({ address }) => address);
		this.application = await Application.start(path.join(import.meta.dirname, 'application.js'), {
			GAZPACHO_CLUSTER: this.bus ? addresses[0] : addresses.join(','), GAZPACHO_TLS_DIR: this.tls, GAZPACHO_PLACEMENT: 'spread',
			...(this.chained && { GAZPACHO_FAN_OUT: '1' }),
		}, event => this.heard(event));
		this.addresses = this.bus ? [addresses[0], ...this.nodes.slice(1).map(({ name }) => name)] : addresses;
	}

	// host is the address that people have.
	get host() {
		return this.network?.host ?? '127.0.0.1';
	}

	// note writes to a file that says when what happened; the application's events are there as they came.
	note(text) {
		fs.appendFileSync(path.join(this.folder, 'events.txt'), `${new Date().toISOString()} ${text}\n`);
	}

	// heard takes an event of the application.
	heard(event) {
		this.note(`${event.owner}, ${event.object}: ${event.event} ${event.detail ?? ''}`);
		if (this.recording) {
			this.events.push(event);
		}
	}

	async enter(names) {
		({ pid: this.workerPid } = await this.application.call('open'));
		await this.serve(this.nodes);
		for (const name of names) {
			this.people.set(name, await Person.open(name, this.host));
		}
		// One transport for each in turn, so that each person's are all on one node: they are spread evenly.
		for (const object of OBJECTS) {
			for (const person of this.people.values()) {
				await person.makeTransport(this.application, object);
			}
		}
		await Promise.all([...this.people.values()].map(person => this.publish(person)));
		this.homes = new Map(names.map(name => [name, this.nodes.findIndex(({ ip }) => this.people.get(name).ips.has(ip))]));
		assert.ok(names.every(name => this.people.get(name).ips.size === 1), 'each person is on one node');
		await Promise.all(names.flatMap(name => names.filter(other => other !== name).map(other => this.subscribe(name, other))));
	}

	async publish(person) {
		await this.application.call('publish', { name: person.name, media: MEDIA });
		await person.send();
	}

	async subscribe(name, other) {
		this.people.get(name).listen(other, await this.application.call('subscribe', { name, of: other, on: ON }));
	}

	// comeAgain is what a browser does that has lost its connection: the person gets new transports, and others consume it anew.
	async comeAgain(name) {
		this.people.get(name).leave();
		this.people.delete(name);
		const others = [...this.people.keys()];
		for (const other of others) {
			this.people.get(other).forget(name);
		}
		await this.application.call('leave', { name });
		const person = await Person.open(name + AGAIN, this.host);
		this.people.set(person.name, person);
		for (const object of OBJECTS) {
			await person.makeTransport(this.application, object);
		}
		await this.publish(person);
		await Promise.all(others.flatMap(other => [this.subscribe(other, person.name), this.subscribe(person.name, other)]));
	}

	// nodeOf returns the node that a person is on, or was in the beginning.
	nodeOf(name) {
		return this.nodes[this.homes.get(name)];
	}

	proxyOf(name) {
		return this.proxies[this.homes.get(name)];
	}

	// addressOf returns how the application calls a person's node.
	addressOf(name) {
		return this.addresses[this.homes.get(name)];
	}

	// steady resolves when everybody has heard and seen all others for a while, in the highest layers.
	async steady() {
		const ears = [...this.people.values()].flatMap(({ hears, sees }) => [...hears.values(), ...sees.values()]);
		const begun = ears.map(({ total }) => total);
		await until('all hear and see all', () => ears.every(({ total }, i) => total >= begun[i] + ENOUGH_PACKETS));
		await until('all see the highest layers', async () => (await this.application.call('layers')).every(layer => layer === TOP_LAYER));
	}

	// record begins to record what the application is told and what arrives.
	async record() {
		await this.application.call('layers'); // its earlier events are here
		this.recording = true;
		this.note('from here on events count');
		this.nodes.forEach(node => Object.assign(node, { logged: this.logOf(node).length }));
		this.people.forEach(person => person.mark());
		await this.application.call('startLoad', LOAD);
	}

	// logOf returns a node's log since the recording has begun.
	logOf({ name, logged = 0 }) {
		return fs.readFileSync(path.join(this.folder, `${name}.log`), 'utf8').slice(logged);
	}

	// lost resolves when the application has been told that a person's transports are gone.
	lost(name, timeout) {
		return until(`${name} is known to be lost`, () => this.events.some(({ owner, object, event, detail }) =>
			owner === name && object === 'browser' && event === 'dtlsstatechange' && detail === 'closed'), { timeout });
	}

	// serve resolves when nodes have workers for the application.
	serve(nodes) {
		return until('the nodes serve the application', async () => {
			const all = await nodeStatus(nodes, this.tls);
			return all.every(({ fronts }) => fronts.some(({ connected }) => connected));
		});
	}

	// eventsByObject returns what the application has been told, an entry "who, what: events" for each object, without those of people
	// who came again. What is a matter of timing is left out: see simplified.
	eventsByObject(varies = () => false) {
		const found = new Map();
		for (const { owner, object, event, detail } of this.events) {
			if (!varies({ owner, object, event }) && !owner.endsWith(AGAIN) && !object.includes(`${AGAIN}'s `)) {
				const key = `${owner}, ${object}`;
				found.set(key, [...(found.get(key) ?? []), detail === undefined ? event : `${event} ${detail}`]);
			}
		}
		return [...found].map(([key, list]) => [key, simplified(list)]).filter(([, list]) => list.length > 0)
			.map(([key, list]) => `${key}: ${list.join(', ')}`).sort();
	}

	// countObjects returns what the nodes hold for the application: an object of numbers each.
	async countObjects() {
		const all = await nodeStatus(this.nodes, this.tls);
		return all.map(({ fronts }) => {
			const { CPU, ...counts } = fronts[0]?.load ?? {};
			return counts;
		});
	}

	// holdings returns what the processes of nodes hold of the system.
	async holdings(nodes = this.nodes) {
		const all = await nodeStatus(nodes, this.tls);
		return Object.fromEntries(nodes.flatMap((node, i) => {
			const { descriptors, sockets, udp, tcp } = holdings(node.child.pid);
			const held = { fronts: all[i].fronts.length, goroutines: all[i].goroutines, descriptors, sockets, 'UDP ports': udp.length, 'TCP ports': tcp.length };
			return Object.entries(held).map(([what, value]) => [`${what} of ${node.name}`, value]);
		}));
	}

	// longestPause is how long this process has not sent anything because the machine was busy.
	get longestPause() {
		return Math.max(...[...this.people.values()].map(({ voice }) => voice.longestPause));
	}

	async restart(node) {
		const port = node.address.slice(node.address.lastIndexOf(':') + 1);
		Object.assign(node, await startNode(node.name, node.ip, this.tls, this.folder, port));
	}

	kill(node) {
		return killNode(node);
	}

	// end ends everything that still runs.
	end() {
		this.people.forEach(person => person.leave());
		this.application?.kill();
		this.proxies?.forEach(proxy => proxy.close());
		[...this.nodes, this.bus].forEach(node => node?.child.kill('SIGKILL'));
	}
}

function shuffled(list, random) {
	return list.map(item => ({ item, order: random() })).sort((a, b) => a.order - b.order).map(({ item }) => item);
}

// simplified leaves of changes of layers only whether there were none for a time, and what they came back to: streams fall silent and
// come back one by one, and one of which something was lost on a busy machine counts as bad for a while. Of a consumer that has ended
// it leaves none.
function simplified(list) {
	const short = [];
	const isLayers = text => text?.startsWith('layerschange');
	for (const event of list) {
		while (isLayers(short.at(-1)) && (event === 'producerclose' || isLayers(event) && short.at(-1) !== NO_LAYERS)) {
			short.pop();
		}
		if (isLayers(event) && (event === NO_LAYERS) === (short.at(-1) === NO_LAYERS)) {
			continue; // still none, or some as before
		}
		short.push(event);
	}
	return short;
}
