// People who come for a moment: new transports in one room after the other, at a constant rate, whether they are answered or not.
const TICK_MS = 10;

export class Coming {
	#answers = new Map(); // how many, by address or error
	#unanswered = new Set();
	#begun = 0;
	#slowest = 0;

	constructor(rooms, listen, rate) {
		Object.assign(this, { rooms, listen, rate });
	}

	start() {
		const start = performance.now();
		this.timer = setInterval(() => {
			while (this.#begun < (performance.now() - start) / 1000 * this.rate) {
				this.#come(this.#begun++);
			}
		}, TICK_MS);
	}

	// stop resolves with the result when all are answered.
	async stop() {
		clearInterval(this.timer);
		await Promise.all(this.#unanswered);
		return this.result();
	}

	// result returns { answers: [{ node or refused, count }], slowest } as it is now. slowest is in milliseconds.
	result() {
		return { answers: [...this.#answers.values()], slowest: this.#slowest };
	}

	#come(n) {
		const rooms = [...this.rooms.values()];
		const { router } = rooms[n % rooms.length];
		const sent = performance.now();
		const come = router.createWebRtcTransport({ listenInfos: [this.listen] }).then(transport => {
			transport.close();
			return { node: transport.iceCandidates[0].address };
		}, error => ({ refused: error.message })).then(answer => {
			this.#slowest = Math.max(this.#slowest, performance.now() - sent);
			const key = JSON.stringify(answer);
			this.#answers.set(key, { ...answer, count: (this.#answers.get(key)?.count ?? 0) + 1 });
			this.#unanswered.delete(come);
		});
		this.#unanswered.add(come);
	}
}
