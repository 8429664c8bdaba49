// A bad network between a page and a transport: the page gets a relay's port instead of the transport's own.
import * as dgram from 'node:dgram';
import { isRtcp } from '../../lib/rtp.js';

const isMedia = message => message.length > 12 && message[0] >= 128 && message[0] < 192 && !isRtcp(message);

const open = () => new Promise((resolve, reject) => {
	const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
	socket.once('error', reject);
	socket.bind(0, '127.0.0.1', () => resolve(socket));
});

// Link carries packets in one direction.
class Link {
	// dropEvery: one of that many media packets is lost. kbps: packets leave at that rate, and are dropped when the queue holds
	// more than half a second.
	dropEvery = 0;
	kbps = 0;
	dropped = 0;
	closed = false;
	#seen = 0;
	#freeAt = 0;

	carry(message, send) {
		if (this.dropEvery && isMedia(message) && ++this.#seen % this.dropEvery === 0) {
			this.dropped++;
			return;
		}
		if (!this.kbps) {
			send();
			return;
		}
		const now = performance.now();
		const begins = Math.max(now, this.#freeAt);
		if (begins - now > 500) {
			this.dropped++;
			return;
		}
		this.#freeAt = begins + message.length * 8 / this.kbps;
		setTimeout(() => this.closed || send(), this.#freeAt - now);
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

	close() {
		this.up.closed = this.down.closed = true;
		this.outer.close();
		this.inner.close();
	}
}
