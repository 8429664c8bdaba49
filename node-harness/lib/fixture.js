// What every test file needs: a fresh worker for each test, closed after it, and common parameters.
import { afterEach, beforeEach } from 'node:test';
import * as mediasoup from 'mediasoup';
import { Peer } from './peer.js';
import { within } from './wait.js';

export const OPUS = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 };
export const VP8 = { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 };
export const H264 = {
	kind: 'video', mimeType: 'video/H264', clockRate: 90000,
	parameters: { 'level-asymmetry-allowed': 1, 'packetization-mode': 1, 'profile-level-id': '4d0032' },
};
export const LISTEN = { listenInfo: { protocol: 'udp', ip: '127.0.0.1' } };

export const MID_URI = 'urn:ietf:params:rtp-hdrext:sdes:mid';
export const ABS_SEND_TIME_URI = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time';
export const AUDIO_LEVEL_URI = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';

export function audioProducer(overrides = {}) {
	return {
		kind: 'audio',
		rtpParameters: {
			mid: 'AUDIO',
			codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }],
			headerExtensions: [{ uri: MID_URI, id: 10 }, { uri: AUDIO_LEVEL_URI, id: 12 }],
			encodings: [{ ssrc: 11111111 }],
			rtcp: { cname: 'audio-1' },
			...overrides,
		},
	};
}

// videoProducer sends VP8 with RTX.
export function videoProducer(overrides = {}) {
	return {
		kind: 'video',
		rtpParameters: {
			mid: 'VIDEO',
			codecs: [
				{
					mimeType: 'video/VP8', payloadType: 112, clockRate: 90000,
					rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'ccm', parameter: 'fir' }],
				},
				{ mimeType: 'video/rtx', payloadType: 113, clockRate: 90000, parameters: { apt: 112 } },
			],
			headerExtensions: [{ uri: MID_URI, id: 10 }],
			encodings: [{ ssrc: 22222222, rtx: { ssrc: 22222223 } }],
			rtcp: { cname: 'video-1' },
			...overrides,
		},
	};
}

// useWorker gives each test of a file a worker and a router; the object it returns is filled before each test.
export function useWorker({ mediaCodecs = [OPUS, VP8, H264] } = {}) {
	const ctx = { peers: [] };
	beforeEach(async () => {
		ctx.peers = [];
		ctx.worker = await mediasoup.createWorker({ logLevel: 'warn' });
		ctx.router = await ctx.worker.createRouter({ mediaCodecs });
		ctx.capabilities = ctx.router.rtpCapabilities;
	});
	afterEach(async () => {
		await Promise.all(ctx.peers.map(peer => peer.close()));
		await closeWorker(ctx.worker);
	});
	// allEvents resolves when all events caused so far have fired: the worker answers in order, and mediasoup emits a
	// notification one turn of the event loop after reading it.
	ctx.allEvents = async () => {
		await ctx.router.dump();
		await new Promise(resolve => setImmediate(resolve));
		await new Promise(resolve => setImmediate(resolve));
	};
	// peer opens a peer that is closed after the test.
	ctx.peer = async options => {
		const peer = await Peer.open(options);
		ctx.peers.push(peer);
		return peer;
	};
	// source creates a comedia transport with a producer, and a peer that sends to it.
	ctx.source = async (options, { transportOptions = {}, connect, peerOptions } = {}) => {
		const transport = await ctx.router.createPlainTransport({ ...LISTEN, comedia: true, ...transportOptions });
		if (connect) {
			await transport.connect(connect);
		}
		const peer = await ctx.peer(peerOptions);
		peer.target = transport.tuple.localPort;
		return { transport, peer, producer: await transport.produce(options) };
	};
	// sink creates a transport with a consumer, and a peer that it sends to.
	ctx.sink = async (producer, { transportOptions = {}, connect = {}, peerOptions, ...options } = {}) => {
		const transport = await ctx.router.createPlainTransport({ ...LISTEN, ...transportOptions });
		const peer = await ctx.peer(peerOptions);
		peer.target = transport.tuple.localPort;
		await transport.connect({ ip: '127.0.0.1', port: peer.port, ...connect });
		const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: ctx.capabilities, ...options });
		return { transport, peer, consumer };
	};
	return ctx;
}

export async function closeWorker(worker) {
	if (!worker || worker.subprocessClosed) {
		return;
	}
	const ended = new Promise(resolve => worker.once('subprocessclose', resolve));
	worker.close();
	await within('the end of the worker process', ended);
}

// extensionId returns the id of an extension in RTP parameters.
export function extensionId(rtpParameters, uri) {
	return rtpParameters.headerExtensions.find(extension => extension.uri === uri)?.id;
}

// counter counts how often events of an emitter fire: counter(e, ['pause']).pause.
export function counter(emitter, events) {
	const counts = Object.fromEntries(events.map(event => [event, 0]));
	events.forEach(event => emitter.on(event, () => counts[event]++));
	return counts;
}
