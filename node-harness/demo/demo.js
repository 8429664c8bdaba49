// The demo: ten seconds of ffmpeg's test picture and tone go into the worker as plain RTP and come out twice, as plain RTP
// and as SRTP; ffmpeg records both. It uses only mediasoup's public API, so it also runs with the C++ worker.
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as mediasoup from 'mediasoup';
import { AUDIO, VIDEO, countDecoded, extractFrame, freePortPairs, progress, startRecorder, startSender, stopRecorder } from './ffmpeg.js';
import { until, within } from '../lib/wait.js';

const SECONDS = 10;
const WANTED_SHARE = 0.99;
const OUT = path.join(import.meta.dirname, '..', '..', 'build', 'demo');
const LISTEN = { listenInfo: { protocol: 'udp', ip: '127.0.0.1' }, rtcpMux: false };
const SRTP_SUITE = 'AES_CM_128_HMAC_SHA1_80';

const mediaCodecs = [
	{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2, preferredPayloadType: AUDIO.payloadType },
	{ kind: 'video', mimeType: 'video/VP8', clockRate: 90000, preferredPayloadType: VIDEO.payloadType },
];

const sources = {
	video: {
		kind: 'video',
		rtpParameters: {
			codecs: [{ mimeType: 'video/VP8', clockRate: 90000, payloadType: VIDEO.payloadType }],
			encodings: [{ ssrc: VIDEO.ssrc }],
		},
	},
	audio: {
		kind: 'audio',
		rtpParameters: {
			codecs: [{ mimeType: 'audio/opus', clockRate: 48000, channels: 2, payloadType: AUDIO.payloadType }],
			encodings: [{ ssrc: AUDIO.ssrc }],
		},
	},
};

// produce creates a transport that binds to its first sender (comedia), and a producer on it.
async function produce(router, source) {
	const transport = await router.createPlainTransport({ ...LISTEN, comedia: true });
	const producer = await transport.produce(source);
	const to = { ip: '127.0.0.1', port: transport.tuple.localPort, rtcpPort: transport.rtcpTuple.localPort };
	return { producer, to };
}

// consume creates a transport that sends to 127.0.0.1:port, RTCP to the next port, and a paused consumer on it.
async function consume(router, producer, { port, srtp }) {
	const transport = await router.createPlainTransport({
		...LISTEN,
		enableSrtp: srtp,
		srtpCryptoSuite: srtp ? SRTP_SUITE : undefined,
	});
	const own = transport.srtpParameters;
	await transport.connect({
		ip: '127.0.0.1',
		port,
		rtcpPort: port + 1,
		// ffmpeg uses one key for both directions.
		srtpParameters: srtp ? { cryptoSuite: SRTP_SUITE, keyBase64: own.keyBase64 } : undefined,
	});
	const consumer = await transport.consume({
		producerId: producer.id,
		rtpCapabilities: router.rtpCapabilities,
		paused: true,
	});
	return { consumer, port, payloadType: consumer.rtpParameters.codecs[0].payloadType, key: own?.keyBase64 };
}

// startOutput consumes both producers and records them; it resolves when the recorder is ready for packets.
async function startOutput(router, inputs, { name, srtp }) {
	const [videoPort, audioPort] = await freePortPairs(2);
	const video = await consume(router, inputs.video.producer, { port: videoPort, srtp });
	const audio = await consume(router, inputs.audio.producer, { port: audioPort, srtp });
	const file = path.join(OUT, `${name}.webm`);
	const recorder = await startRecorder({
		file,
		video,
		audio,
		srtpKey: srtp ? { video: video.key, audio: audio.key } : undefined,
	});
	await video.consumer.resume();
	await audio.consumer.resume();
	return { name, file, recorder, consumers: [video.consumer, audio.consumer] };
}

async function packetsSent(consumer) {
	const stats = await consumer.getStats();
	return stats.find(stat => stat.type === 'outbound-rtp')?.packetCount ?? 0;
}

async function received(producer) {
	const [stat] = await producer.getStats();
	return { packets: stat?.packetCount ?? 0, lost: stat?.packetsLost ?? 0 };
}

// stopOutput waits until ffmpeg has written everything it received, stops it, and checks the recording.
async function stopOutput(output, framesIn) {
	let before = -1;
	await until(`${output.name} is written`, () => {
		const now = progress(output.recorder, 'total_size');
		const still = now === before && output.recorder.idle();
		before = now;
		return still;
	}, { interval: 1_000 });
	await stopRecorder(output.recorder);
	const decoded = await countDecoded(output.file);
	const picture = path.join(OUT, `${output.name}.png`);
	await extractFrame(output.file, SECONDS / 2, picture);
	const sent = await Promise.all(output.consumers.map(packetsSent));
	return { ...output, picture, decoded, sent, share: decoded.video / framesIn };
}

function report(framesIn, inputs, results) {
	console.log(`sent by ffmpeg: ${framesIn} frames in ${SECONDS} s`);
	for (const [kind, { packets, lost }] of Object.entries(inputs)) {
		console.log(`into the worker, ${kind}: ${packets} packets, ${lost} lost`);
	}
	for (const { name, file, picture, decoded, sent, share } of results) {
		console.log(`out as ${name}: ${sent[0]} video packets, ${sent[1]} audio packets`);
		console.log(`  decoded: ${decoded.video} of ${framesIn} frames (${(share * 100).toFixed(1)} %), ${decoded.audio} audio frames, ${decoded.errors.length} decoder errors`);
		console.log(`  recording: ${path.relative(process.cwd(), file)}, one frame of it: ${path.relative(process.cwd(), picture)}`);
	}
}

async function demo(worker) {
	const router = await worker.createRouter({ mediaCodecs });
	const inputs = { video: await produce(router, sources.video), audio: await produce(router, sources.audio) };
	const outputs = [
		await startOutput(router, inputs, { name: 'plain-rtp', srtp: false }),
		await startOutput(router, inputs, { name: 'srtp', srtp: true }),
	];

	console.log(`worker ${worker.pid} is running; sending for ${SECONDS} s`);
	const sender = startSender({ seconds: SECONDS, video: inputs.video.to, audio: inputs.audio.to });
	const { code } = await within('ffmpeg has sent everything', sender.done, SECONDS * 1000 + 120_000);
	if (code !== 0) {
		throw new Error(`ffmpeg could not send (${code}):\n${sender.output()}`);
	}

	const framesIn = progress(sender, 'frame');
	const into = { video: await received(inputs.video.producer), audio: await received(inputs.audio.producer) };
	const results = await Promise.all(outputs.map(output => stopOutput(output, framesIn)));
	report(framesIn, into, results);
	return framesIn >= SECONDS * VIDEO.rate * WANTED_SHARE && results.every(({ share, decoded }) => share >= WANTED_SHARE && decoded.audio > 0);
}

async function main() {
	fs.mkdirSync(OUT, { recursive: true });
	const worker = await mediasoup.createWorker();
	worker.once('died', error => {
		console.error('the worker died:', error.message);
		process.exit(1);
	});
	const good = await demo(worker);
	const ended = new Promise(resolve => worker.once('subprocessclose', resolve));
	worker.close();
	await within('the worker has ended', ended);
	console.log(good ? 'demo: passed' : `demo: FAILED, less than ${WANTED_SHARE * 100} % came through`);
	process.exitCode = good ? 0 : 1;
}

await main();
