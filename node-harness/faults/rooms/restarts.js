// Nodes that are ended and started again, one after the other, sooner than what the time before has left behind is over.
import { grouped, section, variants } from './report.js';

export class Restarts {
	figures = {};
	#told = []; // { roles, text } of rooms

	constructor(house) {
		this.house = house;
		house.record();
	}

	// restart ends a node, by force or not, and starts it again. Hosts that were on it come again, as browsers do; all else comes back.
	async restart(node, force) {
		const { house } = this;
		const rooms = house.rooms.map(room => ({ room, roles: room.on([node]) }));
		const hosts = rooms.filter(({ roles }) => roles.includes('host')).map(({ room }) => room);
		house.forget(house.rooms);
		await (force ? house.cluster.kill(node) : house.cluster.drain(node, 0));
		await house.cluster.start(node);
		await house.cluster.joined();
		await house.cluster.serve([node], house.fronts);
		await house.told('the hosts are known to be lost', hosts.map(room => [room, 'host', 'transport', 'dtlsstatechange']));
		await Promise.all(hosts.map(room => house.comeAgain(room, ['host'])));
		await house.steady();
		rooms.forEach(({ room, roles }) => this.#told.push({ roles, text: house.eventsOf(room, []).join('\n') }));
	}

	async end() {
		const { house } = this;
		await house.holdsWhatIsWanted();
		this.figures['longest pause of those who send'] = house.longestPause / 1000;
		const lines = [
			...grouped(this.#told).flatMap(([roles, texts]) => section(`Told of rooms that have ${roles || 'nobody'} on the node`, variants(texts))),
			...section('Afterwards', ['after each restart all hear each other, and in the end the nodes hold what the rooms need, once']),
		];
		await house.closeApplication(0);
		await house.isIdle();
		return { figures: this.figures, lines };
	}
}
