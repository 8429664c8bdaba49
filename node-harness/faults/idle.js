// What processes hold of the system while they have nothing to do. Connections come and go all the time (those that ask are among them), so
// it is the least that counts, of each figure.
import { until } from '../lib/wait.js';

const SETTLED_LOOKS = 10;

class Least {
	values = {};
	same = 0; // for how many looks they have been the same

	take(figures) {
		const before = JSON.stringify(this.values);
		Object.entries(figures).forEach(([what, value]) => (this.values[what] = Math.min(value, this.values[what] ?? value)));
		this.same = JSON.stringify(this.values) === before ? this.same + 1 : 0;
	}
}

// settled returns the least of the figures that look returns, when it has not become less for a while.
export async function settled(look) {
	const least = new Least();
	await until('the nodes have settled', async () => {
		least.take(await look());
		return least.same >= SETTLED_LOOKS;
	});
	return least.values;
}

// idleAgain resolves when each figure has been as little again as before.
export async function idleAgain(before, look) {
	const least = new Least();
	await until('all nodes are idle', async () => {
		least.take(await look());
		return Object.entries(least.values).every(([what, value]) => value <= before[what]);
	}).catch(error => {
		throw new Error(`${error.message}\nbefore: ${JSON.stringify(before)}\nnow: ${JSON.stringify(least.values)}`);
	});
}
