// Measures the cost of requests: thousands of idle WebRtcTransports on one WebRtcServer are created, dumped and closed through
// the unchanged Node API, and by a driver without Node that sends requests as fast as the worker answers.
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import * as mediasoup from 'mediasoup';
import { cpuUs, residentKB } from '../lib/costs.js';
import { run } from '../lib/processes.js';
import { within } from '../lib/wait.js';

// Figures of the C++ worker 3.27.1 on a two-core machine; they differ on other machines.
const CPP_WORKER = {
	requestsPerSecond: '66,000–87,000',
	usPerTransport: '182–197',
	cpuUsPerTransport: '30–38',
	kBPerTransport: '23',
};

const WARM_UP_TRANSPORTS = 50;
const SETTLE_SECONDS = 20;

const HELP = `make bench-control, or scripts/bench-control.sh with
  --transports N   idle WebRtcTransports on one WebRtcServer (4000)
  --requests N     pipelined requests of each kind (100000)
WORKER_BIN=… measures another worker binary.`;

function readOptions() {
	const { values } = parseArgs({
		options: {
			help: { type: 'boolean', default: false },
			driver: { type: 'string' },
			out: { type: 'string' },
			transports: { type: 'string', default: '4000' },
			requests: { type: 'string', default: '100000' },
		},
	});
	if (values.help) {
		console.log(HELP);
		process.exit(0);
	}
	return { ...values, transports: Number(values.transports), requests: Number(values.requests) };
}

// settledKB waits until resident memory no longer changes, long enough for a garbage collector, and returns it.
async function settledKB(pid) {
	let last = residentKB(pid);
	let quiet = 0;
	for (let i = 0; i < SETTLE_SECONDS && quiet < 3; i++) {
		await new Promise(resolve => setTimeout(resolve, 1000));
		const now = residentKB(pid);
		quiet = Math.abs(now - last) < last / 200 ? quiet + 1 : 0;
		last = now;
	}
	return last;
}

// measure runs one step for each of count transports, one by one or all at once.
async function measure(pid, name, count, { together = false } = {}, step) {
	const cpu = cpuUs(pid);
	const start = performance.now();
	if (together) {
		await Promise.all(Array.from({ length: count }, (_, i) => step(i)));
	} else {
		for (let i = 0; i < count; i++) {
			await step(i);
		}
	}
	const seconds = (performance.now() - start) / 1000;
	return { name, count, seconds, cpuUs: (cpuUs(pid) - cpu) / count };
}

const LISTEN = ['udp', 'tcp'].map(protocol => ({ protocol, ip: '127.0.0.1' }));
const mediaCodecs = [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90000 }];

async function throughNode(count) {
	const worker = await mediasoup.createWorker({ logLevel: 'none' });
	const { pid } = worker;
	try {
		const webRtcServer = await worker.createWebRtcServer({ listenInfos: LISTEN });
		const router = await worker.createRouter({ mediaCodecs });
		const create = () => router.createWebRtcTransport({ webRtcServer, enableSctp: true });

		// The first transports make both processes initialise what later ones share.
		const warm = await Promise.all(Array.from({ length: WARM_UP_TRANSPORTS }, create));
		warm.forEach(transport => transport.close());

		const empty = await settledKB(pid);
		const transports = [];
		const steps = [];
		steps.push(await measure(pid, 'create, one by one', count, {}, async () => transports.push(await create())));
		const kB = ((await settledKB(pid)) - empty) / count;
		steps.push(await measure(pid, 'dump, one by one', count, {}, i => transports[i].dump()));
		steps.push(await measure(pid, 'getStats, one by one', count, {}, i => transports[i].getStats()));
		// close() does not wait for an answer, so a request follows the last one.
		steps.push(await measure(pid, 'close', count, { together: true }, async i => {
			transports[i].close();
			if (i === count - 1) {
				await router.dump();
			}
		}));
		const again = [];
		steps.push(await measure(pid, 'create, all at once', count, { together: true }, async () => again.push(await create())));
		again.forEach(transport => transport.close());
		await router.dump();
		return { steps, kBPerTransport: kB, emptyKB: empty, closedKB: await settledKB(pid) };
	} finally {
		const ended = new Promise(resolve => worker.once('subprocessclose', resolve));
		worker.close();
		await within('the worker has ended', ended);
	}
}

async function throughDriver({ driver, transports, requests }) {
	const output = await run(driver, [
		'-worker', mediasoup.workerBin, '-transports', String(transports), '-requests', String(requests),
	]);
	return JSON.parse(output);
}

function table(titles, rows) {
	const cells = [titles, ...rows].map(row => row.map(String));
	const widths = titles.map((_, i) => Math.max(...cells.map(row => row[i].length)));
	const line = row => `| ${row.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(' | ')} |`;
	console.log(line(cells[0]));
	console.log(line(widths.map(width => '-'.repeat(width))));
	cells.slice(1).forEach(row => console.log(line(row)));
	console.log();
}

function print({ node, pipelined }) {
	table(
		['through Node', 'per second', 'µs seen from Node', 'worker CPU µs', 'C++ µs', 'C++ CPU µs'],
		node.steps.map(({ name, count, seconds, cpuUs }) => [
			name, (count / seconds).toFixed(0), ((seconds * 1e6) / count).toFixed(0), cpuUs.toFixed(1),
			...(name.startsWith('create, one') ? [CPP_WORKER.usPerTransport, CPP_WORKER.cpuUsPerTransport] : ['', '']),
		]),
	);
	table(
		['pipelined, without Node', 'requests/s', 'worker CPU µs', 'C++ requests/s'],
		pipelined.map(({ name, requests, seconds, cpu }, i) => [
			name, (requests / seconds).toFixed(0), ((cpu * 1e6) / requests).toFixed(1), i ? '' : CPP_WORKER.requestsPerSecond,
		]),
	);
	table(
		['memory', 'KB', 'C++ KB'],
		[
			['each idle transport, SCTP enabled', node.kBPerTransport.toFixed(1), CPP_WORKER.kBPerTransport],
			['worker before the first transport', node.emptyKB, ''],
			['worker after the last one was closed', node.closedKB, ''],
		],
	);
}

async function main() {
	const options = readOptions();
	console.log(`worker: ${mediasoup.workerBin}, ${options.transports} WebRtcTransports on one WebRtcServer (UDP and TCP)\n`);
	const results = { node: await throughNode(options.transports), pipelined: await throughDriver(options) };
	print(results);
	const file = path.join(options.out, 'control.json');
	fs.writeFileSync(file, `${JSON.stringify({ worker: mediasoup.workerBin, date: new Date().toISOString(), ...results }, null, '\t')}\n`);
	console.log(`written: ${path.relative(process.cwd(), file)}`);
}

await main();
