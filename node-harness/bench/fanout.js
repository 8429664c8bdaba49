// Measures the cost of one forwarded packet, with one producer and many consumers, each on its own PlainTransport.
// Any worker binary can be measured (MEDIASOUP_WORKER_BIN); the load comes from bench/loadgen.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import * as readline from 'node:readline';
import * as mediasoup from 'mediasoup';
import { start } from '../lib/processes.js';
import { within } from '../lib/wait.js';

const SSRC = 33333333;
const PAYLOAD_TYPE = 101;
const WARM_UP_SECONDS = 2;

// SRTP suites by the name used here.
const SUITES = { none: undefined, gcm: 'AEAD_AES_128_GCM', cm: 'AES_CM_128_HMAC_SHA1_80' };

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

// Loadgen talks to the load generator: one JSON object per line each way.
class Loadgen {
	static async start(binary, receivers) {
		const generator = new Loadgen();
		generator.process = start(binary, ['-receivers', String(receivers)], { stdin: 'pipe' });
		generator.lines = readline.createInterface({ input: generator.process.child.stdout })[Symbol.asyncIterator]();
		generator.hello = await generator.read(20_000);
		return generator;
	}

	async read(timeout) {
		const { value, done } = await within('the load generator answers', this.lines.next(), timeout);
		if (done) {
			throw new Error(`the load generator ended: ${this.process.output()}`);
		}
		return JSON.parse(value);
	}

	run(request) {
		this.process.child.stdin.write(`${JSON.stringify(request)}\n`);
		return this.read(request.seconds * 1000 + 30_000);
	}

	async stop() {
		this.process.child.stdin.end();
		await this.process.done;
	}
}

const mediaCodecs = [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90000, preferredPayloadType: PAYLOAD_TYPE }];

// freshKey returns base64 of a key and salt of the suite's length.
function freshKey(suite) {
	const length = suite === 'AEAD_AES_128_GCM' ? 28 : 30;
	return Buffer.from(crypto.getRandomValues(new Uint8Array(length))).toString('base64');
}

function transportOptions(suite) {
	return {
		listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
		rtcpMux: true,
		enableSrtp: Boolean(suite),
		srtpCryptoSuite: suite,
	};
}

// createProducer returns where and how to send. If the case has SRTP, media into the worker is always GCM: it is one packet
// among many, and the load generator supports only that suite.
async function createProducer(router, suite) {
	const inSuite = suite && 'AEAD_AES_128_GCM';
	const transport = await router.createPlainTransport({ ...transportOptions(inSuite), comedia: true });
	const key = inSuite ? freshKey(inSuite) : '';
	if (inSuite) {
		await transport.connect({ srtpParameters: { cryptoSuite: inSuite, keyBase64: key } });
	}
	const producer = await transport.produce({
		kind: 'video',
		rtpParameters: {
			codecs: [{
				mimeType: 'video/VP8', clockRate: 90000, payloadType: PAYLOAD_TYPE,
				rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }],
			}],
			encodings: [{ ssrc: SSRC }],
		},
	});
	return { producer, to: `127.0.0.1:${transport.tuple.localPort}`, key };
}

async function createConsumer(router, producer, suite, port) {
	const transport = await router.createPlainTransport(transportOptions(suite));
	const srtpParameters = suite && { cryptoSuite: suite, keyBase64: freshKey(suite) };
	await transport.connect({ ip: '127.0.0.1', port, srtpParameters });
	return transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
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
		const ended = new Promise(resolve => worker.once('subprocessclose', resolve));
		worker.close();
		await within('the worker has ended', ended);
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
