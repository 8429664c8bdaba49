// Measures how long a worker takes to start, until the Node library can use it, in real time and in CPU time, and how much memory it has
// when it has nothing to do.
// Prints a row of a table. Argument: how to call the worker; MEDIASOUP_WORKER_BIN selects it.
import fs from 'node:fs';
import * as mediasoup from 'mediasoup';
import { cpuUs, residentKB } from '../lib/costs.js';
import { closeWorker } from '../lib/fixture.js';

const STARTS = 25;
const SETTLE_MS = 500;

const median = list => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];

const times = [];
const cpu = [];
const memory = [];
for (let i = 0; i < STARTS; i++) {
	const begin = performance.now();
	const worker = await mediasoup.createWorker({ logLevel: 'none' });
	times.push(performance.now() - begin);
	cpu.push(cpuUs(worker.pid) / 1000);
	if (i % 5 === 0) {
		await new Promise(resolve => setTimeout(resolve, SETTLE_MS));
		memory.push(residentKB(worker.pid) / 1000);
	}
	await closeWorker(worker);
}
const size = fs.statSync(process.env.MEDIASOUP_WORKER_BIN).size / 1e6;
console.log(`| ${process.argv[2]} | ${median(times).toFixed(1)} ms | ${Math.min(...times).toFixed(1)} ms | ${median(cpu).toFixed(1)} ms | ` +
	`${median(memory).toFixed(1)} MB | ${size.toFixed(1)} MB |`);
