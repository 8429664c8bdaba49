// The chat: what was said while this page was in the room.
import { el, label } from './dom.js';

const MOST_MESSAGES = 500;

export class Chat {
	unread = 0;

	// onSay(text) sends a message and returns whether it could; onClose closes the panel; onUnread(n) shows how many are new.
	constructor({ onSay, onClose, onUnread }) {
		this.onUnread = onUnread;
		this.list = el('ol', { className: 'messages', 'aria-live': 'polite', 'aria-label': 'Messages' });
		this.empty = el('p', { className: 'quiet empty' }, 'Nobody has written anything yet.');
		this.input = el('input', { maxLength: 2000, placeholder: 'Message to everyone', autocomplete: 'off' });
		this.input.setAttribute('aria-label', 'Message to everyone');
		const close = el('button', { className: 'small', type: 'button' });
		const send = el('button', { className: 'small primary' });
		label(close, 'close', 'Close chat');
		label(send, 'send', 'Send');
		close.addEventListener('click', onClose);
		const form = el('form', { className: 'say' }, this.input, send);
		form.addEventListener('submit', event => {
			event.preventDefault();
			const text = this.input.value.trim();
			if (text && onSay(text)) {
				this.input.value = '';
			}
		});
		this.element = el('section', { className: 'chat' },
			el('div', { className: 'side-head' }, el('h2', {}, 'Chat'), el('span', { className: 'space' }), close), this.empty, this.list, form);
	}

	add({ name, text, own = false }) {
		const time = new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
		this.list.append(el('li', { className: own ? 'own' : '' },
			el('div', { className: 'by' }, el('b', {}, own ? 'You' : name), ' ', el('time', { className: 'quiet' }, time)), el('p', {}, text)));
		if (this.list.children.length > MOST_MESSAGES) {
			this.list.firstChild.remove();
		}
		this.empty.hidden = true;
		this.list.scrollTop = this.list.scrollHeight;
		if (!this.element.isConnected) {
			this.#count(this.unread + 1);
		}
	}

	opened() {
		this.#count(0);
		this.list.scrollTop = this.list.scrollHeight;
		this.input.focus();
	}

	#count(unread) {
		this.unread = unread;
		this.onUnread(unread);
	}
}
