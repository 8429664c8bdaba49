// Before the call: a name, a room, and a look at oneself.
import { byId, label } from './dom.js';
import { Tile } from './tile.js';

const ROOM = /^\/([a-z0-9-]{1,40})$/;

// roomOf returns the room that the address names, if any.
export const roomOf = ({ pathname }) => ROOM.exec(pathname)?.[1];

export class Lobby {
	// onJoin({ name, room }) is called with what was filled in.
	constructor({ local, onJoin }) {
		this.local = local;
		this.tile = new Tile({ name: '', isOwn: true });
		this.tile.element.removeAttribute('role'); // there is no list around it
		byId('preview-tile').append(this.tile.element);
		byId('name').value = localStorage.getItem('name') ?? '';
		byId('room-name').value = roomOf(location) ?? 'demo';
		byId('quality').value = localStorage.getItem('quality') ?? '720';
		local.quality = byId('quality').value;
		byId('quality').addEventListener('change', ({ target }) => {
			localStorage.setItem('quality', target.value);
			local.setQuality(target.value);
		});
		this.buttons = ['microphone', 'camera'].map(source => this.#button(source));
		byId('join').addEventListener('submit', event => {
			event.preventDefault();
			const [name, room] = [byId('name').value.trim(), byId('room-name').value];
			if (name) {
				localStorage.setItem('name', name);
				onJoin({ name, room });
			}
		});
		(byId('name').value ? byId('join-button') : byId('name')).focus();
	}

	#button(source) {
		const button = document.createElement('button');
		button.addEventListener('click', () => this.local.toggle(source));
		byId('preview-toolbar').append(button);
		return { source, button };
	}

	show() {
		const { tracks, muted } = this.local;
		this.tile.show(tracks.camera);
		for (const { source, button } of this.buttons) {
			const on = Boolean(tracks[source]) && !(source === 'microphone' && muted);
			label(button, source, `${on ? 'Turn off' : 'Turn on'} ${source}`, { off: !on });
			button.classList.toggle('off', !on);
		}
	}

	setBusy(busy) {
		byId('join-button').disabled = busy;
		byId('join-button').textContent = busy ? 'Joining…' : 'Join';
	}

	tell(trouble) {
		byId('trouble').textContent = trouble;
	}

	// add tells one more trouble: camera and microphone may both have one.
	add(trouble) {
		const told = byId('trouble').textContent;
		this.tell(told.includes(trouble) ? told : `${told} ${trouble}`.trim());
	}
}
