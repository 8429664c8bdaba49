// Waiting as in the other tests, but a browser may be slow: it encodes and decodes pictures on a machine that has other work.
import * as wait from '../../lib/wait.js';

export const until = (what, check, options) => wait.until(what, check, { timeout: 60_000, interval: 50, ...options });
export const within = (what, promise, timeout = 60_000) => wait.within(what, promise, timeout);
