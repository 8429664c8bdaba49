// Requests at a constant rate, whether they are answered or not, whose effects can be checked.
import { setTimeout as pause } from 'node:timers/promises';

const TICK_MS = 5;
const KINDS = 5; // of requests, which take turns

// Load takes turns between people. Each has a consumer of another one's voice, which is paused, looked at and resumed; and
// consumers are made and closed, so that one that is made too late, twice or not at all shows in the number of objects.
export class Load {
	#answers = new Map(); // of each person: what was answered, without repetition
	#unanswered = new Set();
	#total = 0;
	#refused = 0;
	#slowest = 0;

	constructor(router, people, targets, rate) {
		Object.assign(this, { router, people, targets: Object.entries(targets), rate });
		this.targets.forEach(([name]) => this.#answers.set(name, new Set()));
	}

	async start() {
		this.spare = new Map();
		for (const [name, of] of this.targets) {
			this.spare.set(name, await this.#consume(name, of));
		}
		const begun = performance.now();
		this.timer = setInterval(() => {
			for (const due = (performance.now() - begun) / 1000 * this.rate; this.#total < due;) {
				this.#next(this.#total++);
			}
		}, TICK_MS);
	}

	// stop returns what was answered when the last request has been, after some more requests of each person.
	async stop() {
		const enough = this.#total + 2 * KINDS * this.targets.length;
		while (this.#total < enough) {
			await pause(TICK_MS);
		}
		clearInterval(this.timer);
		while (this.#unanswered.size > 0) {
			await Promise.all(this.#unanswered);
		}
		this.spare.forEach(consumer => consumer.close());
		await this.router.dump(); // after which all that was closed is
		return {
			answers: Object.fromEntries([...this.#answers].map(([name, answers]) => [name, [...answers].sort()])),
			total: this.#total, refused: this.#refused, slowest: Math.round(this.#slowest),
		};
	}

	#consume(name, of) {
		const options = { producerId: this.people.get(of).producers.voice.id, rtpCapabilities: this.router.rtpCapabilities };
		return this.people.get(name).transports.sound.consume(options);
	}

	#next(n) {
		const [name, of] = this.targets[n % this.targets.length];
		const spare = this.spare.get(name);
		switch (Math.floor(n / this.targets.length) % KINDS) {
			case 0:
				this.paused = this.#ask(name, spare.pause());
				return void this.#check(name, spare.dump(), this.paused, true);
			case 1:
				this.paused = this.#ask(name, spare.resume());
				return void this.#check(name, spare.dump(), this.paused, false);
			case 2:
				return void this.#ask(name, this.people.get(name).transports.picture.getStats());
			default:
				return void this.#ask(name, this.#consume(name, of).then(consumer => consumer.close()));
		}
	}

	// #check wants the effect of a request in the answer to the one that follows it.
	async #check(name, dump, change, paused) {
		const [dumped, changed] = await Promise.all([this.#ask(name, dump), change]);
		if (changed.ok && dumped.ok && dumped.value.paused !== paused) {
			this.#answers.get(name).add('a request took no effect');
		}
	}

	// #ask notes how a request is answered, and resolves in any case.
	#ask(name, request) {
		const sent = performance.now();
		const answered = request.then(value => ({ ok: true, value }), error => ({ ok: false, error })).then(answer => {
			this.#slowest = Math.max(this.#slowest, performance.now() - sent);
			this.#refused += answer.ok ? 0 : 1;
			this.#answers.get(name).add(answer.ok ? 'answered' : `refused: ${answer.error.message}`);
			this.#unanswered.delete(answered);
			return answer;
		});
		this.#unanswered.add(answered);
		return answered;
	}
}
