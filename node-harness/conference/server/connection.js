// A page's WebSocket. The page sends { id, method, data } and gets { id, result } or { id, error }; the server also sends
// { event, data } of its own accord.
import { inspect } from 'node:util';
import { BadRequest, check, isObject } from './check.js';
import { JOIN, METHODS } from './methods.js';

export const MAX_MESSAGE_BYTES = 64 * 1024; // RTP parameters of a browser with many codecs have some 10 KB
const MAX_WAITING = 64; // requests; a page that is slow to be answered sends fewer
const MAX_UNREAD_BYTES = 1 << 20; // what waits for a page that reads slowly
const POLICY_VIOLATION = 1008; // RFC 6455, 7.4.1

export class Connection {
	peer = undefined;
	#socket;
	#rooms;
	#onJoin;
	#waiting = 0;
	#last = Promise.resolve();

	// onJoin is called when somebody who is in a room is at the other end.
	constructor(socket, rooms, onJoin = () => {}) {
		this.#socket = socket;
		this.#rooms = rooms;
		this.#onJoin = onJoin;
		socket.on('message', (bytes, isBinary) => this.#receive(bytes, isBinary));
		socket.on('close', () => this.#then(() => this.peer?.leave()));
		socket.on('error', () => {}); // 'close' follows
	}

	// hangUp is for a peer that is removed for another reason than the end of this connection.
	hangUp() {
		this.#socket.terminate();
	}

	joined(peer) {
		this.peer = peer;
		this.#onJoin();
	}

	notify(event, data) {
		this.#write({ event, data });
	}

	// Requests are answered one after the other, so that no two of a page get into each other's way, and its end comes last.
	#then(step) {
		this.#last = this.#last.then(step);
	}

	#receive(bytes, isBinary) {
		const request = isBinary ? undefined : parse(bytes);
		if (!isObject(request) || !Number.isSafeInteger(request.id) || this.#waiting >= MAX_WAITING) {
			this.#socket.close(POLICY_VIOLATION, 'not a request, or too many of them'); // there is no id to answer to
			return;
		}
		this.#waiting++;
		this.#then(async () => {
			this.#waiting--;
			if (this.#socket.readyState === this.#socket.OPEN) {
				this.#write(await this.#answer(request));
			}
		});
	}

	async #answer({ id, method, data = {} }) {
		try {
			return { id, result: (await this.#run(method, data)) ?? {} };
		} catch (error) {
			return { id, error: explain(method, error) };
		}
	}

	#run(method, data) {
		if (method === 'join') {
			check(JOIN.checks, data);
			return JOIN.run(this, this.#rooms, data);
		}
		if (typeof method !== 'string' || !Object.hasOwn(METHODS, method)) {
			throw new BadRequest('there is no such method');
		}
		if (!this.peer) {
			throw new BadRequest('join a room first');
		}
		const { checks, run } = METHODS[method];
		check(checks, data);
		return run(this.peer, data);
	}

	#write(message) {
		if (this.#socket.readyState !== this.#socket.OPEN) {
			return;
		}
		if (this.#socket.bufferedAmount > MAX_UNREAD_BYTES) {
			this.hangUp();
			return;
		}
		this.#socket.send(JSON.stringify(message));
	}
}

function parse(bytes) {
	try {
		return JSON.parse(bytes);
	} catch {
		return undefined;
	}
}

// explain returns what the page is told. mediasoup says in its errors which parameter is wrong. Others may say more about the
// server than a stranger should know.
function explain(method, error) {
	if (error instanceof BadRequest || ['TypeError', 'UnsupportedError', 'InvalidStateError'].includes(error.name)) {
		return error.message;
	}
	console.error(`${method} failed:`, inspect(error.message)); // it may quote what the page has sent, and this is a terminal
	return 'the server could not do that';
}
