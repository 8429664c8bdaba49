// Jest loads this before each suite. mediasoup's tests give themselves 2 s, mostly: plenty on an idle machine, too little on
// one whose cores are busy with something else. Here every test has as long as run.mjs says.
const test = globalThis.test;
const patience = Number(process.env.TEST_TIMEOUT_MS);

globalThis.test = Object.assign((name, fn, timeout = 0) => test(name, fn, Math.max(timeout, patience)), test);
globalThis.it = globalThis.test;
