// Measures the cost of one forwarded packet, with one producer and many consumers, each on its own PlainTransport.
// Any worker binary can be measured (MEDIASOUP_WORKER_BIN); the load comes from bench/loadgen.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import * as mediasoup from 'mediasoup';
import { closeWorker, createConsumer, createProducer, Loadgen, mediaCodecs, PAYLOAD_TYPE, SSRC, SUITES } from './load.js';

const WARM_UP_SECONDS = 2;

const CASES = [
	{ consumers: 50, rate: 300, burst: 10, srtp: 'none' },
	{ consumers: 50, rate: 300, burst: 10, srtp: 'gcm' },
	{ consumers: 50, rate: 300, burst: 1, srtp: 'none' },
	{ consumers: 50, rate: 300, burst: 1, srtp: 'gcm' },
	{ consumers: 50, rate: 1000, burst: 10, srtp: 'none' },
	{ consumers: 50, rate: 1000, burst: 10, srtp: 'gcm' },
	{ consumers: 50, rate: 1000, burst: 10, srtp: 'cm' },
	{ consumers: 200, rate: 300, burst: 10, srtp: 'none' },
	{ consumers: 200, rate: 300, burst: 10, srtp: 'gcm' },
	{ consumers: 200, rate: 300, burst: 1, srtp: 'gcm' },
];

const HELP = `make bench-fanout, or scripts/bench-fanout.sh with
  --seconds N        length of each measurement (10)
  --consumers N --rate N --burst N --srtp none|gcm|cm
                     one case instead of the table (defaults: 50, 300, 10, gcm)
WORKER_BIN=… measures another worker binary.`;

function readOptions() {
	const { values } = parseArgs({
		options: {
			help: { type: 'boolean', default: false },
			loadgen: { type: 'string' },
			out: { type: 'string' },
			seconds: { type: 'string', default: '10' },
			consumers: { type: 'string' },
			rate: { type: 'string' },
			burst: { type: 'string' },
			srtp: { type: 'string' },
		},
	});
	if (values.help) {
		console.log(HELP);
		process.exit(0);
	}
	const own = [values.consumers, values.rate, values.burst, values.srtp].some(value => value !== undefined);
	const one = {
		consumers: Number(values.consumers ?? 50),
		rate: Number(values.rate ?? 300),
		burst: Number(values.burst ?? 10),
		srtp: values.srtp ?? 'gcm',
	};
	if (!(one.srtp in SUITES)) {
		throw new Error(`--srtp is one of ${Object.keys(SUITES).join(', ')}`);
	}
	return { ...values, seconds: Number(values.seconds), cases: own ? [one] : CASES };
}

// residentKB is the resident memory of a process, in KB.
function residentKB(pid) {
	return Number(/^VmRSS:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

// cpuMs is the user + system time of the worker process so far, in milliseconds.
async function cpuMs(worker) {
	const { ru_utime: user, ru_stime: system } = await worker.getResourceUsage();
	return user + system;
}

async function measure(worker, generator, load, seconds) {
	const suite = SUITES[load.srtp];
	const router = await worker.createRouter({ mediaCodecs });
	const { producer, to, key } = await createProducer(router, suite);
	const empty = residentKB(worker.pid);
	await Promise.all(generator.hello.ports.map(port => createConsumer(router, producer, suite, port)));
	const idle = residentKB(worker.pid);

	const request = { to, key, ssrc: SSRC, payloadType: PAYLOAD_TYPE, rate: load.rate, burst: load.burst, packetSize: 1200 };
	await generator.run({ ...request, seconds: WARM_UP_SECONDS });
	const before = await cpuMs(worker);
	const { sent, received, least } = await generator.run({ ...request, seconds });
	const cpu = (await cpuMs(worker)) - before;

	const { sendtoUs, sealUs } = generator.hello;
	const perPacket = (cpu * 1000) / received;
	return {
		...load,
		seconds,
		sent,
		received,
		deliveredShare: received / (sent * load.consumers),
		leastShare: least / sent,
		cpuMs: cpu,
		cpuPerPacketUs: perPacket,
		coresUsed: cpu / (seconds * 1000),
		sendtoUs,
		sealUs,
		multiple: perPacket / (sendtoUs + sealUs),
		idleKBPerConsumer: (idle - empty) / load.consumers,
		loadedKBPerConsumer: (residentKB(worker.pid) - empty) / load.consumers,
	};
}

async function runCase(options, load) {
	const worker = await mediasoup.createWorker({ logLevel: 'warn' });
	const generator = await Loadgen.start(options.loadgen, load.consumers);
	try {
		return await measure(worker, generator, load, options.seconds);
	} finally {
		await generator.stop();
		await closeWorker(worker);
	}
}

const COLUMNS = [
	['consumers', r => r.consumers],
	['packets/s', r => r.rate],
	['burst', r => r.burst],
	['srtp', r => r.srtp],
	['delivered', r => `${(r.deliveredShare * 100).toFixed(2)} %`],
	['CPU/packet', r => `${r.cpuPerPacketUs.toFixed(2)} µs`],
	['sendto+seal', r => `${(r.sendtoUs + r.sealUs).toFixed(2)} µs`],
	['multiple', r => `${r.multiple.toFixed(2)}×`],
	['idle', r => `${r.idleKBPerConsumer.toFixed(0)} KB`],
	['loaded', r => `${r.loadedKBPerConsumer.toFixed(0)} KB`],
];

function row(cells) {
	return `| ${cells.map((cell, i) => String(cell).padStart(COLUMNS[i][0].length + 1)).join(' | ')} |`;
}

async function main() {
	const options = readOptions();
	console.log(`worker: ${mediasoup.workerBin}, ${options.seconds} s per case, packets of 1200 bytes`);
	console.log(row(COLUMNS.map(([title]) => title)));
	console.log(row(COLUMNS.map(([title]) => '-'.repeat(title.length + 1))));
	const results = [];
	for (const load of options.cases) {
		const result = await runCase(options, load);
		results.push(result);
		console.log(row(COLUMNS.map(([, value]) => value(result))));
	}
	const file = path.join(options.out, 'fanout.json');
	fs.writeFileSync(file, `${JSON.stringify({ worker: mediasoup.workerBin, date: new Date().toISOString(), results }, null, '\t')}\n`);
	console.log(`written: ${path.relative(process.cwd(), file)}`);
}

await main();
