// Waiting for something that will happen, never for time to pass.

// PATIENCE_MS is longer than anything should take, even on a busy machine.
export const PATIENCE_MS = 30_000;

// until calls check every interval ms until it returns something truthy, which it returns. It throws after timeout ms.
export async function until(what, check, { timeout = PATIENCE_MS, interval = 10 } = {}) {
	const deadline = performance.now() + timeout;
	for (;;) {
		const result = await check();
		if (result) {
			return result;
		}
		if (performance.now() > deadline) {
			throw new Error(`timeout after ${timeout} ms: ${what}`);
		}
		await new Promise(resolve => setTimeout(resolve, interval));
	}
}

// within rejects if promise takes longer than timeout ms.
export function within(what, promise, timeout = PATIENCE_MS) {
	let timer;
	const deadline = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`timeout after ${timeout} ms: ${what}`)), timeout);
	});
	return Promise.race([promise, deadline]).finally(() => clearTimeout(timer));
}
