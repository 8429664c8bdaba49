// A rolling upgrade: nodes are drained and replaced by others of a newer version, one after the other, and then the application,
// while there are rooms that end and others that begin.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../lib/wait.js';
import { grouped, secondsSince, section, variants } from './report.js';

const COMING = { rate: 20 };
const BEGIN_MS = 400; // between two rooms that begin
const STAY_MS = 2000; // for which they last

// Guests are rooms that begin and end. Nothing may happen to them.
class Guests {
	told = [];
	count = 0;
	#rooms = new Set();

	constructor(house) {
		this.house = house;
	}

	// start has rooms begin on an application, in place of the one before.
	start(application) {
		this.application = application;
		this.running ??= this.#run();
	}

	async stop() {
		this.stopped = true;
		await this.running;
		await Promise.allSettled(this.#rooms);
		this.check();
	}

	// check throws if something has failed.
	check() {
		if (this.error) {
			throw this.error;
		}
	}

	async #run() {
		while (!this.stopped) {
			const stay = this.#stay();
			this.#rooms.add(stay);
			stay.catch(error => (this.error ??= error)).then(() => this.#rooms.delete(stay));
			await pause(BEGIN_MS);
		}
	}

	async #stay() {
		const { house, application, draining } = this;
		const room = await house.begin(application, 0);
		const drained = draining && draining === this.draining; // all the time
		assert.ok(!drained || room.on([draining]).length === 0, 'nobody comes to a node that drains');
		await pause(STAY_MS);
		await house.steady([room]);
		this.told.push(...house.eventsOf(room, []));
		this.count++;
		await house.close(room);
	}
}

// versions says of which versions nodes are: the one before is called so (scripts/faults.sh).
function versions(list) {
	return list.map(version => (version === 'before' ? 'of the version before' : 'of the newer version')).sort().join(' and ');
}

export class Upgrade {
	figures = {};
	#lost = []; // { roles, text } of rooms that stayed
	#sound = 0; // packets that were lost between people who were elsewhere
	#gap = 0;

	constructor(house, limit) {
		Object.assign(this, { house, limit, stayed: [...house.rooms], guests: new Guests(house) });
	}

	async begin() {
		const [application] = this.house.applications;
		this.before = await this.house.cluster.versions();
		this.house.record();
		this.guests.start(0);
		await application.call('startComing', COMING);
	}

	// replace drains a node, and starts a newer one in its place.
	async replace(node, binary) {
		const { house } = this;
		const there = this.stayed.map(room => ({ room, roles: room.on([node]) }));
		const hosts = there.filter(({ roles }) => roles.includes('host'));
		this.stayed.forEach(room => room.ears.forEach(ear => ear.begin()));
		house.forget(this.stayed);
		const begun = performance.now();
		const ended = house.cluster.drain(node, this.limit);
		await house.cluster.drains(node);
		await Promise.all(house.applications.map(application => application.call('settle'))); // after which their workers know it
		this.guests.draining = node;
		assert.equal(await ended, 0, 'the node ends as if nothing had happened');
		this.figures['nodes drained for at least'] = Math.min(secondsSince(begun), this.figures['nodes drained for at least'] ?? Infinity);
		this.guests.draining = undefined;
		await house.cluster.start(node, binary);
		await house.cluster.joined();
		await house.cluster.serve([node], house.fronts);
		await house.told('the hosts are known to be lost', hosts.map(({ room }) => [room, 'host', 'transport', 'dtlsstatechange']));
		await Promise.all(hosts.map(({ room, roles }) => house.comeAgain(room, roles.filter(role => role === 'host'))));
		await house.steady(this.stayed);
		this.guests.check();
		there.forEach(({ room, roles }) => this.#lost.push({ roles, text: house.eventsOf(room, []).join('\n') }));
		const ears = there.filter(({ roles }) => !roles.includes('host') && !roles.includes('guest')).flatMap(({ room }) => room.ears);
		this.#sound += ears.reduce((sum, ear) => sum + ear.lost, 0);
		this.#gap = Math.max(this.#gap, ...ears.map(ear => ear.gap()));
	}

	// replaceApplication starts a newer application, which takes all new rooms. The present one ends when its rooms have ended.
	async replaceApplication(plan) {
		const { house } = this;
		this.coming = await house.applications[0].call('stopComing');
		const next = await house.startApplication(plan);
		this.guests.start(next);
		for (const room of this.stayed) {
			await house.close(room);
			await house.begin(next, 0);
		}
		await until('the rooms of the application before have ended', () => {
			this.guests.check();
			return house.rooms.every(({ application }) => application === next);
		});
		await house.closeApplication(0);
		house.fronts -= house.plan.applications[0].workers.length;
		return next;
	}

	async end(next) {
		const { house } = this;
		await this.guests.stop();
		this.figures['rooms that began and ended'] = this.guests.count;
		this.figures['longest gap between people who are elsewhere'] = this.#gap / 1000;
		this.figures['longest pause of those who send'] = house.longestPause / 1000;
		const refused = this.coming.answers.filter(answer => answer.refused).map(({ refused }) => house.cluster.named(refused));
		this.figures['new transports'] = this.coming.answers.reduce((sum, { count }) => sum + count, 0);
		this.figures['new transports, the slowest'] = this.coming.slowest / 1000;
		await house.holdsWhatIsWanted();
		const lines = [
			...section('Told of rooms that begin and end meanwhile', variants([this.guests.told.join('\n')])),
			...grouped(this.#lost).flatMap(([roles, texts]) =>
				section(`Told of rooms whose ${roles} stayed on the node until the limit`, variants(texts))),
			...section('New transports', refused.length > 0 ? [...new Set(refused)].sort() : ['all are made']),
			...section('Sound between people on other nodes than the one that is replaced', [this.#sound === 0 ? 'nothing is lost' : `${this.#sound} packets are lost`]),
			...section('Nodes', [`at first ${versions(this.before)}, at the end ${versions(await house.cluster.versions())}`]),
			...section('What the nodes hold at the end', ['what the rooms need, once']),
		];
		await house.closeApplication(next);
		await house.isIdle();
		return { figures: this.figures, lines };
	}
}
