// A TCP relay between an application and a node, which does to connections what networks do.
import * as net from 'node:net';

export class SessionProxy {
	cuts = 0; // connections ended by the relay
	#stalled = false;
	#pairs = new Set();
	#budget = () => Infinity;

	// open returns a relay to an address "host:port", which it listens on a free port of the same host for.
	static async open(target) {
		const proxy = new SessionProxy();
		const at = target.lastIndexOf(':');
		proxy.target = { host: target.slice(0, at), port: Number(target.slice(at + 1)) };
		proxy.server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true }, socket => proxy.#accept(socket));
		await new Promise(resolve => proxy.server.listen(0, proxy.target.host, resolve));
		proxy.address = `${proxy.target.host}:${proxy.server.address().port}`;
		return proxy;
	}

	// stall lets nothing through, as a network that loses everything: no byte, no end of a connection, no new connection.
	stall() {
		this.#stalled = true;
		this.#pairs.forEach(pair => pair.hold());
	}

	// pass ends that. What waited arrives, as TCP has it sent again.
	pass() {
		this.#stalled = false;
		this.#pairs.forEach(pair => pair.release());
	}

	// cutAfter has every further connection cut after so many bytes in one direction, of which budget draws the number, and all
	// present ones as soon as they carry something.
	cutAfter(budget) {
		this.#budget = budget;
		this.#pairs.forEach(pair => pair.limit(budget));
	}

	stopCutting() {
		this.cutAfter(() => Infinity);
	}

	close() {
		this.server.close();
		this.#pairs.forEach(pair => pair.destroy());
	}

	#accept(socket) {
		const pair = new Pair(socket, this.target, () => this.#pairs.delete(pair), () => this.cuts++);
		pair.limit(this.#budget);
		this.#pairs.add(pair);
		if (!this.#stalled) {
			pair.release();
		}
	}
}

// Pair is a connection of the application with the one to the node that it is continued by.
class Pair {
	#left = [Infinity, Infinity]; // bytes in each direction
	#held = true;
	#over = false; // one end is closed, and the other one is to be

	constructor(from, target, ended, cut) {
		Object.assign(this, { from, target, ended, cut });
		this.#watch(from, 0);
	}

	limit(budget) {
		this.#left = [budget(), budget()];
	}

	hold() {
		this.#held = true;
		this.from.pause();
		this.to?.pause();
	}

	release() {
		this.#held = false;
		if (this.#over) {
			this.destroy();
			return;
		}
		if (!this.to) {
			this.to = net.connect({ ...this.target, allowHalfOpen: true });
			this.#watch(this.to, 1);
		}
		this.from.resume();
		this.to.resume();
	}

	destroy() {
		this.from.destroy();
		this.to?.destroy();
		this.ended();
	}

	// #watch passes on what a socket brings: from the application (0) or from the node (1).
	#watch(socket, direction) {
		socket.setNoDelay(true);
		const other = () => (direction === 0 ? this.to : this.from);
		const failed = () => {
			this.#over = true;
			if (!this.#held) {
				this.destroy();
			}
		};
		socket.on('data', bytes => {
			const some = bytes.subarray(0, this.#left[direction]);
			this.#left[direction] -= some.length;
			other().write(some);
			if (this.#left[direction] <= 0) {
				this.cut();
				// What was written before the cut arrives; it ends anywhere within a frame.
				other().end(() => this.destroy());
				this.#left[direction] = Infinity;
				socket.pause();
			}
		});
		socket.on('end', () => other()?.end(() => this.destroy())); // a socket that is held does not end: it is not read
		socket.on('error', failed);
		socket.on('close', failed);
	}
}
