// Records a room with GStreamer: each producer goes to a PlainTransport, from where GStreamer writes it into one file.
// A publisher of GStreamer's test picture and tone stands for the room's people. Only mediasoup's public API is used.
import * as path from 'node:path';
import * as mediasoup from 'mediasoup';
import { freePortPairs, untilListening } from '../demo/ffmpeg.js';
import { start } from '../lib/processes.js';
import { until, within } from '../lib/wait.js';

const SECONDS = 8;
const FILE = path.join(import.meta.dirname, '..', '..', 'build', 'recording.webm');
const LISTEN = { listenInfo: { protocol: 'udp', ip: '127.0.0.1' } };
const VIDEO = { mimeType: 'video/VP8', clockRate: 90000, payloadType: 101 };
const AUDIO = { mimeType: 'audio/opus', clockRate: 48000, channels: 2, payloadType: 100 };

const mediaCodecs = [AUDIO, VIDEO].map(({ payloadType, ...codec }) => (
	{ ...codec, kind: codec.mimeType.split('/')[0], preferredPayloadType: payloadType }
));

// publish lets somebody send RTP to the transport that it returns. comedia: the first packet says where it comes from.
async function publish(router, codec, ssrc) {
	const transport = await router.createPlainTransport({ ...LISTEN, comedia: true });
	const rtpParameters = { codecs: [codec], encodings: [{ ssrc }] };
	const producer = await transport.produce({ kind: codec.mimeType.split('/')[0], rtpParameters });
	return { producer, to: `host=127.0.0.1 port=${transport.tuple.localPort}` };
}

// record has a producer sent to a port where GStreamer listens. It begins when consumer.resume() is called.
async function record(router, producer, port) {
	const transport = await router.createPlainTransport(LISTEN);
	await transport.connect({ ip: '127.0.0.1', port });
	return transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities, paused: true });
}

function gst(pipeline) {
	return start('gst-launch-1.0', ['-e', '-q', ...pipeline.trim().split(/\s+/)]);
}

const worker = await mediasoup.createWorker();
const router = await worker.createRouter({ mediaCodecs });
const video = await publish(router, VIDEO, 2222);
const audio = await publish(router, AUDIO, 1111);

const [videoPort, audioPort] = await freePortPairs(2);
const recorder = gst(`
	webmmux name=file ! filesink location=${FILE}
	udpsrc buffer-size=4194304 address=127.0.0.1 port=${videoPort} caps=application/x-rtp,media=video,clock-rate=90000,encoding-name=VP8
		! rtpjitterbuffer latency=200 ! rtpvp8depay ! queue ! file.
	udpsrc buffer-size=4194304 address=127.0.0.1 port=${audioPort} caps=application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS
		! rtpjitterbuffer latency=200 ! rtpopusdepay ! queue ! file.`);
await untilListening('GStreamer', recorder, [videoPort, audioPort]);
const consumers = [await record(router, video.producer, videoPort), await record(router, audio.producer, audioPort)];
for (const consumer of consumers) {
	await consumer.resume(); // asks the publisher for a key frame, too
}

const publisher = gst(`
	videotestsrc is-live=true num-buffers=${SECONDS * 30} ! video/x-raw,width=640,height=360,framerate=30/1
		! vp8enc deadline=1 target-bitrate=1000000 keyframe-max-dist=30 ! rtpvp8pay pt=101 ssrc=2222 mtu=1200 ! udpsink sync=false ${video.to}
	audiotestsrc is-live=true num-buffers=${SECONDS * 50} samplesperbuffer=960 ! audio/x-raw,rate=48000,channels=2
		! opusenc ! rtpopuspay pt=100 ssrc=1111 ! udpsink sync=false ${audio.to}`);
const sent = await within('the publisher has ended', publisher.done, SECONDS * 1000 + 60_000);

const packets = consumer => consumer.getStats().then(stats => stats.find(s => s.type === 'outbound-rtp').packetCount);
let before;
await until('no more packets leave', async () => {
	const now = String(await Promise.all(consumers.map(packets)));
	const still = now === before;
	before = now;
	return still;
}, { interval: 500 });
recorder.child.kill('SIGINT'); // with -e, GStreamer finishes the file first
const written = await within('the recording is finished', recorder.done);
console.log(`${path.relative(process.cwd(), FILE)}: ${before.replace(',', ' video packets, ')} audio packets`);
worker.close();
if (sent.code !== 0 || written.code !== 0) {
	console.error(publisher.output(), recorder.output());
	process.exitCode = 1;
}
