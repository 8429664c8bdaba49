// A house with many rooms: a cluster, and applications whose rooms are spread over it.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { PATIENCE_MS, until } from '../../lib/wait.js';
import { idleAgain, settled } from '../idle.js';
import { Application } from '../process.js';
import { Cluster, KINDS } from './cluster.js';
import { ROLES, Voices } from './people.js';

const FILE = path.join(import.meta.dirname, 'application.js');
const SPEAKERS = { host: 'guest', guest: 'host' }; // who hears whom
const ENOUGH_PACKETS = 17; // a second of sound
const CONNECTING = new Set([
	'icestatechange connected', 'icestatechange completed', 'dtlsstatechange connecting', 'dtlsstatechange connected',
	'sctpstatechange connecting', 'sctpstatechange connected',
]);

export class House {
	rooms = [];
	applications = [];
	events = [];
	fronts = 0;
	#begun = 0; // rooms

	// open starts everything, and resolves when all who speak are heard. plan says which nodes there are and which of them have the bus,
	// and for each application its host and the nodes that its workers are told of: a worker each, with so many rooms.
	static async open({ tls, folder, random, network, plan }) {
		const house = new House();
		Object.assign(house, { tls, folder, network, plan, random, voices: new Voices() });
		const setting = { names: plan.nodes, bus: plan.bus, tls, folder, network, options: plan.options };
		house.idle = plan.upgraded && await idleHoldings(setting);
		house.cluster = await Cluster.open({ ...setting, binary: plan.binary });
		try {
			house.nodes = house.cluster.nodes;
			house.idle ||= await settled(() => house.cluster.holdings());
			for (const application of plan.applications) {
				await house.startApplication(application);
			}
			await Promise.all(plan.applications.flatMap(({ workers }, application) => workers.map((_, worker) => house.fill(application, worker))));
			await house.steady();
		} catch (error) {
			house.end();
			throw error;
		}
		return house;
	}

	// startApplication starts an application, and resolves when all nodes serve it.
	async startApplication({ host, workers, worker }) {
		const environment = { GAZPACHO_TLS_DIR: this.tls, GAZPACHO_PLACEMENT: 'spread', ...(worker && { MEDIASOUP_WORKER_BIN: worker }) };
		const i = this.applications.push(undefined) - 1;
		const application = await Application.start(FILE, environment, event => this.heard(event), this.network, this.network?.address(host));
		this.applications[i] = application;
		await application.call('open', { clusters: workers.map(name => this.node(name).address) });
		this.fronts += workers.length;
		await this.cluster.serve(this.nodes, this.fronts);
		return i;
	}

	// closeApplication ends an application.
	async closeApplication(i) {
		await this.applications[i].call('close');
	}

	// fill begins the rooms of a worker, one after the other, so that it is always the same who is on one node with whom.
	async fill(application, worker) {
		for (let n = 0; n < this.plan.rooms; n++) {
			await this.begin(application, worker);
		}
	}

	async begin(application, worker) {
		const room = new Room(`room ${++this.#begun}`, this.applications[application], application);
		this.rooms.push(room);
		await room.call('begin', { worker });
		for (const role of Object.keys(ROLES)) {
			await this.join(room, role);
		}
		await Promise.all(Object.keys(SPEAKERS).map(role => this.publish(room, role)));
		await Promise.all(Object.entries(SPEAKERS).map(([role, of]) => room.hear(role, of)));
		return room;
	}

	// host is the address that people have.
	get host() {
		return this.network?.host ?? '127.0.0.1';
	}

	async join(room, role) {
		const person = new ROLES[role]();
		const ip = await person.join((command, args) => room.call(command, { role, ...args }), this.host);
		room.people.set(role, person);
		room.nodes.set(role, this.nodes.find(node => node.ip === ip));
	}

	async publish(room, role) {
		const person = room.people.get(role);
		await person.publish?.((command, args) => room.call(command, { role, ...args }));
		if (person.send) {
			this.voices.add(person);
		}
	}

	async leave(room, role) {
		const person = room.people.get(role);
		this.voices.remove(person);
		person.leave();
		room.people.delete(role);
		room.nodes.delete(role);
		await room.call('leave', { role });
	}

	// comeAgain is what browsers do that have lost their connection: these people of a room get new transports, and are heard anew.
	async comeAgain(room, roles) {
		for (const role of roles) {
			await this.leave(room, role);
		}
		for (const role of roles) {
			await this.join(room, role);
			await this.publish(room, role);
		}
		await Promise.all(Object.entries(SPEAKERS).filter(pair => pair.some(role => roles.includes(role))).map(([role, of]) => room.hear(role, of)));
	}

	async close(room) {
		room.people.forEach(person => {
			this.voices.remove(person);
			person.leave();
		});
		this.rooms.splice(this.rooms.indexOf(room), 1);
		await room.call('end');
	}

	node(name) {
		return this.nodes.find(node => node.name === name);
	}

	// note writes to a file that says when what happened.
	note(text) {
		fs.appendFileSync(path.join(this.folder, 'events.txt'), `${new Date().toISOString()} ${text}\n`);
	}

	// heard takes an event of an application.
	heard({ owner, object, event, detail }) {
		this.note(`${owner}, ${object}: ${event} ${detail ?? ''}`);
		if (this.recording) {
			this.events.push({ owner, object, event, detail });
		}
	}

	// steady resolves when all who speak are heard, in these rooms.
	async steady(rooms = this.rooms) {
		const listeners = rooms.flatMap(room => room.listeners);
		const begun = listeners.map(({ ear }) => ear.total);
		const deaf = () => listeners.filter(({ ear }, i) => ear.total < begun[i] + ENOUGH_PACKETS);
		await until('all hear each other', () => deaf().length === 0).catch(error => {
			throw new Error(`${error.message}: nothing is heard by ${deaf().map(({ name }) => name).join('; ')}`);
		});
	}

	// record begins to record what the applications are told and what arrives.
	record() {
		this.recording = true;
		this.note('from here on events count');
		this.voices.mark();
		this.rooms.forEach(room => room.mark());
	}

	// told resolves when an event about each of some people's objects has come: [room, role, object, event].
	told(what, wanted, timeout = PATIENCE_MS) {
		const has = ([room, role, object, event]) => this.events.some(e =>
			e.owner === `${room.name}, ${role}` && e.object === object && e.event === event);
		return until(what, () => wanted.every(has), { timeout });
	}

	// forget forgets what was told of rooms.
	forget(rooms) {
		const names = new Set(rooms.map(({ name }) => name));
		this.events = this.events.filter(({ owner }) => !names.has(owner.split(', ')[0]));
	}

	// comesTo resolves when an application's new transports come to one of some nodes.
	comesTo(application, nodes) {
		return until('new transports come to nodes', async () => {
			const { answers } = await application.call('coming');
			return answers.some(answer => nodes.some(({ ip }) => ip === answer.node));
		});
	}

	// eventsOf returns what was told of a room, a line for each object. Some people of it are lost: whether what they heard counts as
	// closed before they count as lost themselves is a matter of timing, so it is left out. So is what new connections go through.
	eventsOf(room, lost) {
		const lines = new Map();
		for (const { owner, object, event, detail } of this.events) {
			const [of, role] = owner.split(', ');
			const made = CONNECTING.has(`${event} ${detail}`) || event === 'iceselectedtuplechange';
			if (of === room.name && !made && (object === 'transport' || !lost.includes(role))) {
				const key = [role, object].filter(Boolean).join(', ');
				lines.set(key, [...(lines.get(key) ?? []), detail === undefined ? event : `${event} ${detail}`]);
			}
		}
		return [...lines].map(([key, events]) => `${key}: ${events.join(', ')}`).sort();
	}

	// holdsWhatIsWanted waits until the nodes hold what the rooms need, and nothing else.
	async holdsWhatIsWanted() {
		const wanted = JSON.stringify(this.wanted());
		let now;
		await until('the nodes hold what the rooms need, once', async () => {
			now = JSON.stringify(await this.cluster.counts());
			return now === wanted;
		}, { interval: 200 }).catch(error => {
			throw new Error(`${error.message}\nwanted: ${wanted}\nnow: ${now}`);
		});
	}

	// wanted returns how many objects of each kind each node needs.
	wanted() {
		const all = Object.fromEntries(this.nodes.map(({ name }) => [name, Object.fromEntries(KINDS.map(kind => [kind, 0]))]));
		this.rooms.forEach(room => room.add((node, kind) => all[node.name][kind]++));
		return all;
	}

	// isIdle resolves when the nodes' processes have held as little again as in the beginning.
	isIdle() {
		return idleAgain(this.idle, () => this.cluster.holdings());
	}

	// longestPause is how long this process has not sent anything because the machine was busy.
	get longestPause() {
		return this.voices.longestPause;
	}

	// end ends everything that still runs.
	end() {
		this.voices.stop();
		this.rooms.forEach(room => room.people.forEach(person => person.leave()));
		this.applications.forEach(application => application?.kill());
		this.cluster.end();
	}
}

class Room {
	people = new Map(); // by role
	nodes = new Map(); // on which they are, by role

	constructor(name, process, application) {
		Object.assign(this, { name, process, application });
	}

	call(command, args) {
		return this.process.call(command, { room: this.name, ...args });
	}

	async hear(role, of) {
		this.people.get(role).listen(await this.call('hear', { role, of }));
	}

	get listeners() {
		return [...this.people].filter(([, { ear }]) => ear).map(([role, { ear }]) => ({ name: `${this.name}, ${role}`, ear }));
	}

	get ears() {
		return this.listeners.map(({ ear }) => ear);
	}

	mark() {
		this.ears.forEach(ear => ear.mark());
	}

	// on returns the roles of those who are on some nodes.
	on(nodes) {
		return Object.keys(ROLES).filter(role => nodes.includes(this.nodes.get(role)));
	}

	// add adds up what the room needs on nodes: transports, what is on them, and relays where host and guest are on different nodes.
	add(count) {
		const [host, guest] = [this.nodes.get('host'), this.nodes.get('guest')];
		this.nodes.forEach(node => count(node, 'Transports'));
		for (const node of [host, guest]) {
			count(node, 'Producers');
			count(node, 'Consumers');
			if (host !== guest) { // a pipe, with the other one's voice and the own one
				['Transports', 'Producers', 'Consumers'].forEach(kind => count(node, kind));
			}
		}
		// The chat, and its relay to the recorder, which is on the application's host.
		['DataProducers', 'DataConsumers', 'Transports'].forEach(kind => count(host, kind));
	}
}

// idleHoldings returns what nodes of the present version hold: what is expected in the end of those that replace others.
async function idleHoldings(setting) {
	const cluster = await Cluster.open(setting);
	try {
		return await settled(() => cluster.holdings());
	} finally {
		cluster.end();
	}
}
