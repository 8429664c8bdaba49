// A tile shows one person, or one shared screen.
import { el, icon, label } from './dom.js';

// initials of up to two words of a name.
const initials = name => name.split(/\s+/).filter(Boolean).slice(0, 2).map(word => [...word][0].toUpperCase()).join('');

// hue is the same for the same name everywhere.
const hue = name => [...name].reduce((sum, character) => (sum * 31 + character.codePointAt(0)) % 360, 7);

// nodeText says on which node a person's transports are; there is none without a cluster.
export function nodeText({ send, recv }) {
	return send === recv ? `on node ${send}` : `sends by node ${send}, receives by node ${recv}`;
}

function nodeElement({ send, recv }) {
	const short = send === recv ? `node ${send}` : `↑ ${send}  ↓ ${recv}`;
	return el('span', { className: 'node', title: nodeText({ send, recv }) },
		el('span', { 'aria-hidden': 'true' }, short), el('span', { className: 'visually-hidden' }, nodeText({ send, recv })));
}

export class Tile {
	// onFigures is called when somebody asks for the person's figures; without it there is no button.
	constructor({ name, where, onFigures, isOwn = false, isScreen = false }) {
		this.title = `${isOwn ? 'You' : name}${isScreen ? ': screen' : ''}`;
		this.video = el('video', { autoplay: true, playsInline: true, muted: true });
		this.video.setAttribute('aria-label', `Picture of ${this.title}`);
		this.avatar = el('div', { className: 'avatar', 'aria-hidden': 'true' }, el('span', {}, initials(name)));
		this.avatar.style.setProperty('--hue', hue(name));
		this.muted = el('span', { className: 'muted', hidden: true }, icon('microphone', { off: true }), el('span', { className: 'visually-hidden' }, 'muted'));
		this.size = el('span', { className: 'size' });
		const node = where?.send ? [nodeElement(where)] : [];
		this.button = el('button', { className: 'small figures-button', hidden: !onFigures });
		label(this.button, 'figures', `Figures of ${isOwn ? 'yourself' : name}`);
		this.button.addEventListener('click', () => onFigures?.());
		this.element = el('div', { className: `tile${isOwn ? ' own' : ''}${isScreen ? ' screen' : ''}`, role: 'listitem', 'aria-label': this.title },
			this.avatar, this.video,
			el('div', { className: 'above' }, ...node, el('span', { className: 'space' }), this.button),
			el('div', { className: 'below' }, this.muted, el('span', { className: 'name' }, this.title), el('span', { className: 'space' }), this.size));
		this.show(undefined);
	}

	// show puts a video track into the tile, or none. A track that the sender has paused stands still and is not shown.
	show(track) {
		if (track !== this.track) {
			this.track = track;
			this.video.srcObject = track ? new MediaStream([track]) : null;
		}
		this.element.classList.toggle('pictured', Boolean(track));
	}

	setMuted(muted) {
		this.muted.hidden = !muted;
	}

	// setVolume marks who speaks: dB below the loudest, or undefined.
	setVolume(volume) {
		this.element.classList.toggle('speaking', volume !== undefined);
	}

	setDominant(dominant) {
		this.element.classList.toggle('dominant', dominant);
	}

	setSize(text) {
		this.size.textContent = text;
	}

	remove() {
		this.video.srcObject = null;
		this.element.remove();
	}
}
