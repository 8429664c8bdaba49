// Measures several workers on one machine: each may use all cores, as is the default, beside each of them having its share of the
// cores and no more (GOMAXPROCS). The load is that of bench/fanout.js, one room for each busy worker.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import * as mediasoup from 'mediasoup';
import { closeWorker, createConsumer, createProducer, Loadgen, mediaCodecs, PAYLOAD_TYPE, SSRC, SUITES } from './load.js';

const WARM_UP_SECONDS = 2;

// A room is the number of its consumers; 0 means an idle worker.
const CASES = [
	{ name: 'four part busy, pairs', rooms: [50, 50, 50, 50], rate: 1000, burst: 2, srtp: 'gcm' },
	{ name: 'four part busy, single packets', rooms: [50, 50, 50, 50], rate: 300, burst: 1, srtp: 'gcm' },
	{ name: 'four full', rooms: [100, 100, 100, 100], rate: 1200, burst: 4, srtp: 'cm' },
	{ name: 'one full, three idle', rooms: [450, 0, 0, 0], rate: 1000, burst: 5, srtp: 'cm' },
	{ name: 'one full, three with little', rooms: [450, 10, 10, 10], rate: 1000, burst: 5, srtp: 'cm' },
];

const HELP = `make bench-workers, or scripts/bench-workers.sh with
  --seconds N   length of each measurement (5)
  --rounds N    how often each case is measured; the table has medians (3)
  --case TEXT   only cases whose names contain the text`;

function readOptions() {
	const { values } = parseArgs({
		options: {
			help: { type: 'boolean', default: false },
			loadgen: { type: 'string' },
			out: { type: 'string' },
			seconds: { type: 'string', default: '5' },
			rounds: { type: 'string', default: '3' },
			case: { type: 'string', default: '' },
		},
	});
	if (values.help) {
		console.log(HELP);
		process.exit(0);
	}
	const cases = CASES.filter(({ name }) => name.includes(values.case));
	return { ...values, seconds: Number(values.seconds), rounds: Number(values.rounds), cases };
}

// WorkerUnderTest is a worker with the sender and receivers of its room; an idle one has neither.
class WorkerUnderTest {
	static async start(options, load, consumers) {
		const it = new WorkerUnderTest();
		it.worker = await mediasoup.createWorker({ logLevel: 'warn' });
		if (consumers === 0) {
			return it;
		}
		it.generator = await Loadgen.start(options.loadgen, consumers);
		const suite = SUITES[load.srtp];
		const router = await it.worker.createRouter({ mediaCodecs });
		const { producer, to, key } = await createProducer(router, suite);
		await Promise.all(it.generator.hello.ports.map(port => createConsumer(router, producer, suite, port)));
		it.request = { to, key, ssrc: SSRC, payloadType: PAYLOAD_TYPE, rate: load.rate, burst: load.burst, packetSize: 1200 };
		it.consumers = consumers;
		return it;
	}

	async run(seconds) {
		if (!this.generator) {
			return { expected: 0, received: 0 };
		}
		const { sent, received } = await this.generator.run({ ...this.request, seconds });
		return { expected: sent * this.consumers, received };
	}

	async stop() {
		await this.generator?.stop();
		await closeWorker(this.worker);
	}
}

// usage sums up what the workers have used so far: CPU time in ms, and how often their threads gave up the CPU.
async function usage(workers) {
	const all = await Promise.all(workers.map(({ worker }) => worker.getResourceUsage()));
	const sum = of => all.reduce((total, one) => total + of(one), 0);
	return { cpu: sum(u => u.ru_utime + u.ru_stime), pauses: sum(u => u.ru_nvcsw) };
}

async function measure(options, load, cores) {
	delete process.env.GOMAXPROCS; // workers inherit this process's environment
	if (cores) {
		process.env.GOMAXPROCS = String(cores);
	}
	const workers = [];
	try {
		for (const consumers of load.rooms) {
			workers.push(await WorkerUnderTest.start(options, load, consumers));
		}
		await Promise.all(workers.map(w => w.run(WARM_UP_SECONDS)));
		const before = await usage(workers);
		const results = await Promise.all(workers.map(w => w.run(options.seconds)));
		const after = await usage(workers);
		const expected = results.reduce((total, r) => total + r.expected, 0);
		const received = results.reduce((total, r) => total + r.received, 0);
		const cpu = after.cpu - before.cpu;
		return {
			deliveredShare: received / expected,
			coresUsed: cpu / (options.seconds * 1000),
			cpuPerPacketUs: (cpu * 1000) / received,
			pausesPerThousand: ((after.pauses - before.pauses) * 1000) / received,
		};
	} finally {
		await Promise.all(workers.map(w => w.stop()));
	}
}

function median(values) {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = Math.floor(sorted.length / 2);
	return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const COLUMNS = [
	['delivered', r => r.deliveredShare, v => `${(v * 100).toFixed(1)} %`],
	['cores used', r => r.coresUsed, v => v.toFixed(2)],
	['CPU/packet', r => r.cpuPerPacketUs, v => `${v.toFixed(2)} µs`],
	['pauses/1000', r => r.pausesPerThousand, v => v.toFixed(1)],
];

async function main() {
	const options = readOptions();
	const cores = os.availableParallelism();
	console.log(`worker: ${mediasoup.workerBin}, ${cores} cores, median of ${options.rounds} runs of ${options.seconds} s; all cores | their share`);
	console.log(`| case | ${COLUMNS.map(([title]) => `${title} | share`).join(' | ')} |`);
	console.log(`|${'---|'.repeat(1 + 2 * COLUMNS.length)}`);
	const results = [];
	for (const load of options.cases) {
		const all = [];
		const share = [];
		for (let round = 0; round < options.rounds; round++) { // in turns, so that other work on the machine hits both
			all.push(await measure(options, load, 0));
			share.push(await measure(options, load, Math.max(1, Math.floor(cores / load.rooms.length))));
		}
		results.push({ ...load, all, share });
		const cells = COLUMNS.flatMap(([, value, text]) => [all, share].map(runs => text(median(runs.map(value)))));
		console.log(`| ${[load.name, ...cells].join(' | ')} |`);
	}
	const file = path.join(options.out, 'workers.json');
	fs.writeFileSync(file, `${JSON.stringify({ worker: mediasoup.workerBin, cores, date: new Date().toISOString(), results }, null, '\t')}\n`);
	console.log(`written: ${path.relative(process.cwd(), file)}`);
}

await main();
