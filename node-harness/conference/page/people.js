// Everybody in the room, with their tiles and what is heard of them.
import { announce, byId, el } from './dom.js';
import { Tile } from './tile.js';

class Person {
	screen = undefined; // its tile
	sound = undefined; // an audio element
	constructor(tile) {
		this.tile = tile;
	}
}

export class People {
	#people = new Map(); // by id

	constructor({ stage, onFigures }) {
		Object.assign(this, { stage, onFigures });
	}

	// begin shows the room of a new call.
	begin({ self, peers }) {
		[...this.#people.keys()].forEach(id => this.#drop(id));
		this.selfId = self.id;
		this.#add(self, { isOwn: true });
		peers.forEach(peer => this.#add(peer));
	}

	#add(peer, { isOwn = false } = {}) {
		const tile = new Tile({ ...peer, isOwn, onFigures: () => this.onFigures(peer.id) });
		tile.setMuted(!isOwn);
		this.#people.set(peer.id, new Person(tile));
		this.stage.add(tile);
		this.#count();
	}

	// hide takes away the pictures of others, which are black once the call has ended.
	hide() {
		this.#people.forEach(({ tile, screen }, id) => {
			if (id !== this.selfId) {
				tile.show(undefined);
				tile.setSize('');
				screen?.show(undefined);
			}
		});
	}

	joined(peer) {
		this.#add(peer);
		announce(`${peer.name} has joined`);
	}

	left(id) {
		const person = this.#people.get(id);
		if (person) {
			announce(`${person.tile.title} has left`);
			this.#drop(id);
		}
	}

	#drop(id) {
		const { tile, screen, sound } = this.#people.get(id);
		[tile, screen].filter(Boolean).forEach(shown => this.stage.remove(shown));
		sound?.remove();
		this.#people.delete(id);
		this.#count();
	}

	#count() {
		byId('count').textContent = this.#people.size === 1 ? 'only you' : `${this.#people.size} people`;
	}

	// showOwn shows what this person sends: tracks by source.
	showOwn({ camera, screen }, muted) {
		const person = this.#people.get(this.selfId);
		if (person) {
			person.tile.show(camera);
			person.tile.setMuted(muted);
			this.#showScreen(person, screen, { name: '', isOwn: true });
		}
	}

	// showStream shows or plays what comes from somebody, or ends it.
	showStream({ peerId, source, paused, consumer }, { name, ended = false }) {
		const person = this.#people.get(peerId);
		if (!person) {
			return;
		}
		const track = ended || paused ? undefined : consumer?.track;
		switch (source) {
			case 'camera':
				person.tile.show(track);
				break;
			case 'screen':
				this.#showScreen(person, track, { name });
				break;
			case 'microphone':
				person.tile.setMuted(!track);
				this.#play(person, ended ? undefined : consumer?.track);
				break;
		}
	}

	#showScreen(person, track, options) {
		if (track) {
			if (!person.screen) {
				person.screen = new Tile({ ...options, isScreen: true });
				this.stage.add(person.screen);
				announce(options.isOwn ? 'You share your screen' : `${options.name} shares a screen`);
			}
			person.screen.show(track);
		} else if (person.screen) {
			this.stage.remove(person.screen);
			person.screen = undefined;
		}
	}

	#play(person, track) {
		if (!track) {
			person.sound?.remove();
			person.sound = undefined;
		} else if (!person.sound) {
			person.sound = el('audio', { autoplay: true, srcObject: new MediaStream([track]) });
			document.body.append(person.sound);
		}
	}

	speaking(volumes) {
		const volumeOf = new Map(volumes.map(({ peerId, volume }) => [peerId, volume]));
		this.#people.forEach(({ tile }, id) => tile.setVolume(volumeOf.get(id)));
	}

	// dominant: who has the floor comes first beside a shared screen, but nobody needs to see oneself speak.
	dominant(peerId) {
		this.#people.forEach(({ tile }, id) => tile.setDominant(id === peerId && id !== this.selfId));
	}

	// tileOf returns the tile that shows a stream, if any.
	tileOf({ peerId, source }) {
		const person = this.#people.get(peerId);
		return source === 'screen' ? person?.screen : person?.tile;
	}

	tileOfId(peerId) {
		return this.#people.get(peerId)?.tile;
	}
}
