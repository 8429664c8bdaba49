// A bad network between a peer and a transport: the peer gets a relay's port instead of the transport's own.
import * as dgram from 'node:dgram';
import { isRtcp } from './rtp.js';

const isMedia = message => message.length > 12 && message[0] >= 128 && message[0] < 192 && !isRtcp(message);

// isData recognises application data of DTLS, and SCTP without DTLS from port 5000.
const isData = message => message[0] === 23 || message[0] === 0x13 && message[1] === 0x88;

// chance returns a reproducible source of numbers between 0 and 1.
function chance() {
	let state = 1;
	return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

const open = () => new Promise((resolve, reject) => {
	const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
	socket.once('error', reject);
	socket.bind(0, '127.0.0.1', () => resolve(socket));
});

// Link carries packets in one direction, in order.
class Link {
	// kbps: packets leave at that rate (0: at any), and are dropped when what waits takes longer than queue milliseconds. delay, in
	// milliseconds, comes after that.
	kbps = 0;
	queue = 500;
	delay = 0;
	// dropEvery: one of that many media packets is lost. loss: the probability that one is. spoilData: the probabilities that a
	// packet of data is lost, comes twice, and is overtaken.
	dropEvery = 0;
	loss = 0;
	spoilData = 0;
	carried = 0;
	dropped = 0;
	waited = 0; // milliseconds, sum of all that was carried
	repeated = 0;
	overtaken = 0;
	closed = false;
	#seen = 0;
	#freeAt = 0;
	#underWay = []; // what arrives when, in order
	#timer;
	#chance = chance();

	carry(message, send) {
		if (this.spoilData && isData(message)) {
			this.#spoil(send);
			return;
		}
		if (isMedia(message) && this.#loses()) {
			this.dropped++;
			return;
		}
		const now = performance.now();
		const begins = Math.max(now, this.#freeAt);
		if (begins - now > this.queue) {
			this.dropped++;
			return;
		}
		this.carried++;
		this.waited += begins - now;
		this.#freeAt = this.kbps ? begins + message.length * 8 / this.kbps : begins;
		const arrives = this.#freeAt + this.delay;
		if (arrives <= now && this.#underWay.length === 0) {
			send();
			return;
		}
		this.#underWay.push({ arrives, send });
		this.#timer ??= setTimeout(() => this.#deliver(), arrives - now);
	}

	// cut lets nothing through for some milliseconds. What comes meanwhile waits, as far as there is room.
	cut(milliseconds) {
		this.#freeAt = Math.max(this.#freeAt, performance.now()) + milliseconds;
	}

	close() {
		this.closed = true;
		clearTimeout(this.#timer);
	}

	#loses() {
		return this.dropEvery && ++this.#seen % this.dropEvery === 0 || this.loss && this.#chance() < this.loss;
	}

	#deliver() {
		while (this.#underWay[0]?.arrives <= performance.now()) {
			this.#underWay.shift().send();
		}
		const next = this.#underWay[0];
		this.#timer = next && setTimeout(() => this.#deliver(), next.arrives - performance.now());
	}

	#spoil(send) {
		const fate = Math.floor(this.#chance() / this.spoilData);
		switch (fate) {
			case 0:
				this.dropped++;
				return;
			case 1:
				this.repeated++;
				send();
				break;
			case 2:
				this.overtaken++;
				setTimeout(() => this.closed || send(), 10);
				return;
		}
		send();
	}
}

export class Relay {
	up = new Link();
	down = new Link();

	// open creates a relay to a port of the worker.
	static async open(port) {
		const self = new Relay();
		[self.outer, self.inner] = [await open(), await open()];
		let page;
		self.outer.on('message', (message, { port: from, address }) => {
			page = { port: from, address };
			self.up.carry(message, () => self.inner.send(message, port, '127.0.0.1', () => {}));
		});
		self.inner.on('message', message => {
			const { port: to, address } = page;
			self.down.carry(message, () => self.outer.send(message, to, address, () => {}));
		});
		return self;
	}

	get port() {
		return this.outer.address().port;
	}

	// before creates a relay to a WebRtcTransport; its candidates are those to give to the peer.
	static async before({ iceCandidates }) {
		const candidate = iceCandidates.find(({ protocol }) => protocol === 'udp');
		const relay = await Relay.open(candidate.port);
		relay.candidates = [{ ...candidate, port: relay.port }];
		return relay;
	}

	// spoilData sets the probabilities for both directions.
	spoilData(probability) {
		this.up.spoilData = this.down.spoilData = probability;
	}

	close() {
		this.up.close();
		this.down.close();
		this.outer.close();
		this.inner.close();
	}
}
