// The buttons of a call, and their keys.
import { byId, el, label } from './dom.js';

const BUTTONS = [
	{ name: 'microphone', key: 'm' }, { name: 'camera', key: 'v' }, { name: 'screen', key: 's' },
	{ name: 'chat', key: 'c' }, { name: 'figures', key: 'f' }, { name: 'leave' },
];
const TEXTS = {
	microphone: ['Turn on microphone', 'Turn off microphone'],
	camera: ['Turn on camera', 'Turn off camera'],
	screen: ['Share your screen', 'Stop sharing your screen'],
};

export class Toolbar {
	#buttons = new Map();

	// actions: what each button does, by its name.
	constructor(actions) {
		for (const { name, key } of BUTTONS) {
			const button = el('button', { className: name });
			button.addEventListener('click', () => actions[name]());
			this.#buttons.set(name, button);
			if (key) {
				addEventListener('keydown', event => isCommand(event, key) && actions[name]());
			}
		}
		byId('toolbar').append(...this.#buttons.values());
		this.#buttons.get('screen').hidden = !navigator.mediaDevices?.getDisplayMedia; // phones have none
		this.badge = el('span', { className: 'badge', hidden: true });
		this.setUnread(0);
		label(this.#buttons.get('figures'), 'figures', 'Your figures', { key: 'f' });
		label(this.#buttons.get('leave'), 'leave', 'Leave');
	}

	show({ tracks, muted }) {
		for (const { name, key } of BUTTONS.slice(0, 3)) {
			const on = Boolean(tracks[name]) && !(name === 'microphone' && muted);
			const button = this.#buttons.get(name);
			label(button, name, TEXTS[name][on ? 1 : 0], { off: !on && name !== 'screen', key });
			button.classList.toggle('off', !on && name !== 'screen');
			button.classList.toggle('active', on && name === 'screen');
		}
	}

	setUnread(unread) {
		const button = this.#buttons.get('chat');
		label(button, 'chat', unread > 0 ? `Chat, ${unread} unread` : 'Chat', { key: 'c' });
		this.badge.textContent = unread;
		this.badge.hidden = unread === 0;
		button.append(this.badge);
	}

	setOpen({ chat = false, figures = false }) {
		this.#buttons.get('chat').classList.toggle('active', chat);
		this.#buttons.get('figures').classList.toggle('active', figures);
		this.#buttons.get('chat').setAttribute('aria-expanded', chat);
		this.#buttons.get('figures').setAttribute('aria-expanded', figures);
	}
}

// isCommand: a key by itself, where nobody is writing, and during a call.
function isCommand({ key, target, ctrlKey, metaKey, altKey, repeat }, wanted) {
	return key.toLowerCase() === wanted && !ctrlKey && !metaKey && !altKey && !repeat
		&& !byId('room').hidden && !target.closest('input, textarea, select');
}
