// Chance with a seed.

// generator returns a function that returns numbers from 0 to 1, which follow from a seed (mulberry32).
export function generator(seed) {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let x = Math.imul(state ^ (state >>> 15), state | 1);
		x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
		return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
	};
}

// Chance draws from a seed.
export class Chance {
	#next;

	constructor(seed) {
		this.#next = generator(seed);
	}

	// below returns an integer from 0 to n - 1.
	below(n) {
		return Math.floor(this.#next() * n);
	}

	// happens is true with a probability.
	happens(probability) {
		return this.#next() < probability;
	}

	// of returns one of a list, undefined if there is none.
	of(list) {
		return list[this.below(list.length)];
	}

	// weighted returns one of the keys of an object, whose values are weights.
	weighted(weights) {
		const entries = Object.entries(weights);
		let left = this.#next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
		return entries.find(([, weight]) => (left -= weight) < 0)?.[0] ?? entries.at(-1)[0];
	}
}
