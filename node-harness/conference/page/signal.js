// The WebSocket to the server: requests with answers, and notifications.
const PATIENCE_MS = 15_000;

export class Signal {
	#socket;
	#pending = new Map(); // by id
	#next = 1;

	// open connects. onNotification(event, data) and onClose() are called until close.
	static open({ onNotification, onClose }) {
		const self = new Signal();
		self.#socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/signalling`);
		self.#socket.addEventListener('message', ({ data }) => self.#receive(JSON.parse(data), onNotification));
		return new Promise((resolve, reject) => {
			self.#socket.addEventListener('open', () => resolve(self));
			self.#socket.addEventListener('close', () => {
				self.#fail('the connection to the server is lost');
				reject(new Error('the server cannot be reached'));
				onClose();
			});
		});
	}

	// request resolves with the server's answer. A server that does not answer is taken for one that is gone.
	request(method, data = {}) {
		if (this.#socket.readyState !== WebSocket.OPEN) {
			return Promise.reject(new Error('the connection to the server is lost'));
		}
		const id = this.#next++;
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => this.close(), PATIENCE_MS);
			this.#pending.set(id, { resolve, reject, timer });
			this.#socket.send(JSON.stringify({ id, method, data }));
		});
	}

	#receive({ id, result, error, event, data }, onNotification) {
		if (event) {
			onNotification(event, data);
			return;
		}
		const { resolve, reject, timer } = this.#pending.get(id);
		this.#pending.delete(id);
		clearTimeout(timer);
		if (error) {
			reject(Object.assign(new Error(error), { refused: true }));
		} else {
			resolve(result);
		}
	}

	#fail(message) {
		for (const { reject, timer } of this.#pending.values()) {
			clearTimeout(timer);
			reject(new Error(message));
		}
		this.#pending.clear();
	}

	close() {
		this.#socket.close();
	}
}
