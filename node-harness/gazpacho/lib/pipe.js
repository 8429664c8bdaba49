'use strict';

const pipes = new WeakMap(); // by Router

// Pipe is the PipeTransport that a Router's imports are on. It stands for no other end: media comes from nodes, not through it.
class Pipe {
	#router;
	#imports = 0;

	constructor(router) {
		this.#router = router;
		this.transport = router.createPipeTransport({ listenInfo: { protocol: 'udp', ip: '127.0.0.1' } });
	}

	enter() {
		this.#imports++;
		return this;
	}

	// leave is called once for each enter. The last one closes the transport.
	leave() {
		if (--this.#imports === 0) {
			pipes.delete(this.#router);
			this.transport.then(transport => transport.close(), () => {});
		}
	}
}

// pipeOf returns the Pipe of a Router for one more import.
function pipeOf(router) {
	if (!pipes.has(router)) {
		pipes.set(router, new Pipe(router));
	}
	return pipes.get(router).enter();
}

module.exports = { pipeOf };
