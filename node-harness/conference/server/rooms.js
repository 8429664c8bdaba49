// All rooms: each is made when the first person comes, and closed when the last one leaves.
import { BadRequest } from './check.js';
import { Peer } from './peer.js';
import { Room } from './room.js';

export const MAX_ROOMS = 50;
export const MAX_PEERS = 16; // in a room

export class Rooms {
	#entries = new Map(); // by name: { seats, opened, room }

	constructor({ worker, webRtcServer }) {
		Object.assign(this, { worker, webRtcServer });
	}

	get size() {
		return this.#entries.size;
	}

	// find returns the room of a name, if there is one.
	find(name) {
		return this.#entries.get(name)?.room;
	}

	// enter returns a new peer, { name, tab, notify, hangUp }, in a room. A seat is taken before anything is waited for, so that a
	// room neither gets too full nor is closed while somebody comes in.
	async enter({ room: name, ...who }) {
		const entry = this.#entries.get(name) ?? this.#create(name);
		entry.seats++;
		let peer;
		try {
			this.#evict(entry, who.tab);
			if (entry.seats > MAX_PEERS) {
				throw new BadRequest(`the room is full: ${MAX_PEERS} people`);
			}
			const room = await entry.opened;
			peer = new Peer({ ...who, room });
			peer.leave = once(() => {
				room.remove(peer);
				this.#release(name, entry);
			});
			await peer.open(this.webRtcServer);
			room.add(peer);
			return peer;
		} catch (error) {
			if (peer) {
				peer.leave();
			} else {
				this.#release(name, entry);
			}
			throw error;
		}
	}

	#create(name) {
		if (this.#entries.size >= MAX_ROOMS) {
			throw new BadRequest(`there are ${MAX_ROOMS} rooms already`);
		}
		const entry = { seats: 0, opened: Room.open(this.worker) };
		entry.opened.then(room => (entry.room = room), () => {}); // enter tells of the failure
		this.#entries.set(name, entry);
		return entry;
	}

	// #evict removes what is left of a page that has come back.
	#evict({ room }, tab) {
		const before = room && [...room.peers.values()].find(peer => peer.tab === tab);
		before?.leave();
		before?.hangUp();
	}

	#release(name, entry) {
		entry.seats--;
		if (entry.seats === 0) {
			this.#entries.delete(name);
			entry.opened.then(room => room.close(), () => {});
		}
	}
}

function once(action) {
	let done = false;
	return () => {
		if (!done) {
			done = true;
			action();
		}
	};
}
