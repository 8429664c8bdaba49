// What the benchmarks of forwarding have in common: the load generator (bench/loadgen), and a room with one producer and a
// consumer for each of its sockets, each on its own PlainTransport.
import * as readline from 'node:readline';
import { start } from '../lib/processes.js';
import { within } from '../lib/wait.js';

export const SSRC = 33333333;
export const PAYLOAD_TYPE = 101;

// SRTP suites by the name used here.
export const SUITES = { none: undefined, gcm: 'AEAD_AES_128_GCM', cm: 'AES_CM_128_HMAC_SHA1_80' };

// Loadgen talks to the load generator: one JSON object per line each way.
export class Loadgen {
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

export const mediaCodecs = [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90000, preferredPayloadType: PAYLOAD_TYPE }];

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
export async function createProducer(router, suite) {
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

export async function createConsumer(router, producer, suite, port) {
	const transport = await router.createPlainTransport(transportOptions(suite));
	const srtpParameters = suite && { cryptoSuite: suite, keyBase64: freshKey(suite) };
	await transport.connect({ ip: '127.0.0.1', port, srtpParameters });
	return transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
}

// closeWorker closes a worker and waits until its process has ended.
export async function closeWorker(worker) {
	const ended = new Promise(resolve => worker.once('subprocessclose', resolve));
	worker.close();
	await within('the worker has ended', ended);
}
