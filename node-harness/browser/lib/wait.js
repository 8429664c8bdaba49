// Waiting as in the other tests, but longer: a browser encodes and decodes video on a machine that may be busy.
import * as wait from '../../lib/wait.js';

export const until = (what, check, options) => wait.until(what, check, { timeout: 60_000, interval: 50, ...options });
export const within = (what, promise, timeout = 60_000) => wait.within(what, promise, timeout);
