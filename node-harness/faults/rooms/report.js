// What comes of a fault: lines for the golden list, and figures.
import { setTimeout as pause } from 'node:timers/promises';
import { PATIENCE_MS } from '../../lib/wait.js';

const LEASE_MS = 31_000; // after which a silent node is given up

export const section = (title, lines) => ['', `${title}:`, ...lines.map(line => `  ${line}`)];
export const secondsSince = begun => (performance.now() - begun) / 1000;
const names = roles => [roles.slice(0, -1).join(', '), roles.at(-1)].filter(Boolean).join(' and ');

// grouped returns texts by the roles that they are about.
export function grouped(list) {
	const groups = new Map();
	for (const { roles, text } of list) {
		groups.set(names(roles), [...(groups.get(names(roles)) ?? []), text]);
	}
	return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

// variants returns the lines of texts, which should all be the same.
export function variants(texts) {
	const all = [...new Set(texts)].sort();
	return all.flatMap((text, i) => [...(all.length > 1 ? [`variant ${i + 1}:`] : []), ...(text || 'nothing').split('\n')]);
}

export class Report {
	figures = {};
	#lines = [];
	#comings = [];
	#held = [];

	// lost returns the nodes that an application loses, by its number.
	constructor(house, lost) {
		Object.assign(this, { house, lost });
	}

	// begin begins to record, and resolves when the fault is to happen.
	async begin(delay) {
		const { house } = this;
		this.rooms = house.rooms.map(room => ({ room, roles: room.on(this.lost(room.application)) }));
		this.harmed = this.rooms.filter(({ roles }) => roles.length > 0);
		this.talking = this.rooms.filter(({ roles }) => !roles.includes('host') && !roles.includes('guest')).map(({ room }) => room);
		house.record();
		await pause(delay);
		this.begun = performance.now();
		house.note('the fault begins');
	}

	// losses resolves when the applications have been told of all that is lost.
	async losses() {
		const { house } = this;
		const those = (role, but) => this.harmed.filter(({ roles }) => roles.includes(role) && !roles.includes(but)).map(({ room }) => room);
		await house.told('the hosts are known to be lost', those('host').map(room => [room, 'host', 'transport', 'dtlsstatechange']), LEASE_MS + PATIENCE_MS);
		this.figures['the applications know that hosts are lost after'] = secondsSince(this.begun);
		this.asked = await Promise.all(this.harmed.flatMap(({ room, roles }) => roles.map(role => room.call('ask', { role }))));
		await house.told('the latecomers are known to be lost', those('latecomer').map(room => [room, 'latecomer', 'transport', 'dtlsstatechange']));
		await house.told('the guests are known to be lost', those('guest', 'host').map(room => [room, 'host', 'guest\'s voice', 'producerclose']));
		this.figures['the applications know that others are lost after'] = secondsSince(this.begun);
		this.told();
		this.#lines.push(...section('A request to what is lost', this.#once(this.asked)));
	}

	// coming takes what became of new transports of the applications.
	coming(when, all) {
		const answers = all.flatMap(({ answers }) => answers);
		const refused = answers.filter(answer => answer.refused).map(answer => this.house.cluster.named(answer.refused));
		this.figures[`new transports ${when}`] = answers.reduce((sum, { count }) => sum + count, 0);
		this.figures[`new transports ${when}, the slowest`] = Math.max(...all.map(({ slowest }) => slowest)) / 1000;
		this.#comings.push(`${when}: ${refused.length > 0 ? `some are refused: ${[...new Set(refused)].sort().join('; ')}` : 'all are made'}`);
	}

	// comeAgain has all come again who were lost, in their rooms.
	async comeAgain() {
		const { house } = this;
		await Promise.all(this.harmed.map(({ room, roles }) => house.comeAgain(room, roles)));
		await house.steady();
		this.figures['all hear each other again after'] = secondsSince(this.begun);
		const back = this.harmed.filter(({ room }) => room.on(this.lost(room.application)).length > 0);
		this.#lines.push(...section('Afterwards', [
			'closing what is lost succeeds; who was lost comes again, and all hear each other',
			...(back.length === 0 ? ['nobody is put on a lost node'] : back.map(({ room }) => `${room.name} has somebody on a lost node`)),
		]));
	}

	// once resolves when the nodes hold what the rooms need, and nothing else.
	async once(when) {
		await this.house.holdsWhatIsWanted();
		this.#held.push(`${when}: what the rooms need, once`);
	}

	// end ends the applications.
	async end() {
		const { house } = this;
		await house.steady();
		await this.once('at the end');
		this.figures['longest pause of those who send'] = house.longestPause / 1000;
		const lines = [
			...this.#lines,
			...section('New transports', this.#comings),
			...section(`Sound in the ${this.talking.length} rooms whose host and guest are not lost`, this.#sound()),
			...section('What the nodes hold', this.#held),
		];
		await Promise.all(house.applications.map(application => application.call('close')));
		await house.isIdle();
		return { figures: this.figures, lines };
	}

	// told notes what has been told of rooms until now, by who of them is lost. All such rooms are told the same.
	told() {
		const groups = grouped(this.rooms.map(({ room, roles }) => ({ roles, text: this.house.eventsOf(room, roles).join('\n') })));
		for (const [roles, texts] of groups) {
			const title = roles === '' ? 'that lose nobody' : `whose ${roles} ${roles.includes(' and ') ? 'are' : 'is'} lost`;
			this.#lines.push(...section(`Told of ${texts.length} rooms ${title}`, variants(texts)));
		}
	}

	#once(answers) {
		return [...new Set(answers.map(text => this.house.cluster.named(text)))].sort();
	}

	#sound() {
		const ears = this.talking.flatMap(room => room.ears);
		const lost = ears.reduce((sum, ear) => sum + ear.lost, 0);
		this.figures['longest gap in rooms that nobody is missing in'] = Math.max(...ears.map(ear => ear.gap())) / 1000;
		return [lost === 0 ? 'nothing is lost' : `${lost} packets are lost`];
	}
}
