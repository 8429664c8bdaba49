// Connections of strangers: at most so many, and none keeps others out. A further one takes the place of the oldest of the address that
// has the most.
export class Crowd {
	#max;
	#sockets = new Map(); // by address and port, the oldest first
	#counts = new Map(); // by address

	constructor(max) {
		this.#max = max;
	}

	// enter adds a socket, which is in the crowd until it ends, or leaves it.
	enter(socket) {
		const { remoteAddress, remotePort } = socket;
		if (this.#sockets.size >= this.#max) {
			this.#makeRoom();
		}
		this.#sockets.set(key(remoteAddress, remotePort), socket);
		this.#counts.set(remoteAddress, (this.#counts.get(remoteAddress) ?? 0) + 1);
		socket.once('close', () => this.#sockets.get(key(remoteAddress, remotePort)) === socket && this.leave(remoteAddress, remotePort));
	}

	// leave is by address and port: over TLS, the socket that is read is another one.
	leave(address, port) {
		if (this.#sockets.delete(key(address, port))) {
			this.#counts.set(address, this.#counts.get(address) - 1);
			if (this.#counts.get(address) === 0) {
				this.#counts.delete(address);
			}
		}
	}

	#makeRoom() {
		const most = Math.max(...this.#counts.values());
		const oldest = [...this.#sockets.values()].find(({ remoteAddress }) => this.#counts.get(remoteAddress) === most);
		this.leave(oldest.remoteAddress, oldest.remotePort);
		oldest.destroy();
	}
}

const key = (address, port) => `${address} ${port}`;
