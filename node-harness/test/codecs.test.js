// Every codec that mediasoup supports can be produced and consumed, and its packets come through.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as mediasoup from 'mediasoup';
import { closeWorker, useWorker } from '../lib/fixture.js';
import { buildRtp } from '../lib/rtp.js';
import { until } from '../lib/wait.js';

const SSRC = 12345678;
const ctx = useWorker({ mediaCodecs: [] });

// payloads that the codecs' parsers take for a key frame, so that a video consumer forwards them at once.
const KEY_FRAMES = {
	'video/VP8': Buffer.from([0x10, 0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00]),
	'video/VP9': Buffer.from([0x08, 0x82, 0x49, 0x83, 0x42, 0x00]), // Start of a frame, not inter-predicted.
	'video/H264': Buffer.from([0x67, 0x4d, 0x00, 0x32, 0x9a]), // A sequence parameter set.
	'video/AV1': Buffer.from([0x18, 0x0a, 0x0b, 0x00]), // The first packet of a coded video sequence.
};

const codecs = mediasoup.getSupportedRtpCapabilities().codecs;
const isFeature = ({ mimeType }) => /\/(CN|telephone-event)$/.test(mimeType);

function mediaCodec({ kind, mimeType, clockRate, channels, parameters, preferredPayloadType }) {
	const extra = mimeType === 'video/H264' ? { 'packetization-mode': 1, 'profile-level-id': '42e01f' } : {};
	return { kind, mimeType, clockRate, channels, preferredPayloadType, parameters: { ...parameters, ...extra } };
}

for (const supported of codecs.filter(codec => !isFeature(codec))) {
	const codec = mediaCodec(supported);
	const name = [codec.mimeType, codec.clockRate, codec.channels].filter(Boolean).join(' ');
	test(`${name} is forwarded`, async () => {
		const router = await ctx.worker.createRouter({ mediaCodecs: [codec] });
		const transport = await router.createDirectTransport();
		const producer = await transport.produce({
			kind: codec.kind,
			rtpParameters: {
				codecs: [{ ...codec, payloadType: 77, preferredPayloadType: undefined, kind: undefined }],
				encodings: [{ ssrc: SSRC }],
			},
		});
		assert.equal((await producer.dump()).rtpParameters.codecs[0].mimeType.toLowerCase(), codec.mimeType.toLowerCase());
		const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
		const packets = [];
		consumer.on('rtp', packet => packets.push(packet));
		const payload = KEY_FRAMES[codec.mimeType] ?? Buffer.from(`payload of ${name}`);
		producer.send(buildRtp({ payloadType: 77, sequenceNumber: 1, ssrc: SSRC, marker: true, payload }));
		await until('the packet', () => packets.length > 0);
		const [stat] = await consumer.getStats();
		assert.equal(packets.length, 1);
		assert.equal(packets[0][1] & 0x7f, consumer.rtpParameters.codecs[0].payloadType);
		assert.equal(packets[0].readUInt32BE(8), consumer.rtpParameters.encodings[0].ssrc);
		assert.ok(packets[0].subarray(-payload.length).equals(payload));
		assert.equal(stat.packetCount, 1);
		assert.equal(stat.mimeType.toLowerCase(), codec.mimeType.toLowerCase());
	});
}

for (const supported of codecs.filter(isFeature)) {
	const name = `${supported.mimeType} ${supported.clockRate}`;
	test(`${name} cannot be a codec of its own`, async () => {
		const codec = mediaCodec(supported);
		const router = await ctx.worker.createRouter({ mediaCodecs: [codec] });
		const transport = await router.createDirectTransport();
		const rtpParameters = { codecs: [{ ...codec, payloadType: 77, preferredPayloadType: undefined, kind: undefined }], encodings: [{ ssrc: SSRC }] };
		await assert.rejects(transport.produce({ kind: 'audio', rtpParameters }), TypeError);
		assert.deepEqual((await transport.dump()).producerIds, []);
	});
}

const MULTIOPUS = {
	kind: 'audio', mimeType: 'audio/multiopus', preferredPayloadType: 100, clockRate: 48000, channels: 6,
	parameters: { useinbandfec: 1, channel_mapping: '0,4,1,2,3,5', num_streams: 4, coupled_streams: 2 },
};

function multiopusProducer(parameters = {}) {
	const { kind, mimeType, clockRate, channels } = MULTIOPUS;
	return {
		kind,
		rtpParameters: {
			mid: 'AUDIO',
			codecs: [{ mimeType, payloadType: 0, clockRate, channels, parameters: { ...MULTIOPUS.parameters, ...parameters } }],
		},
	};
}

test('multiopus keeps its parameters', async () => {
	const router = await ctx.worker.createRouter({ mediaCodecs: [MULTIOPUS] });
	const transport = await router.createDirectTransport();
	const producer = await transport.produce(multiopusProducer());
	const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
	assert.deepEqual(consumer.rtpParameters.codecs[0].parameters, MULTIOPUS.parameters);
	assert.equal(consumer.rtpParameters.codecs[0].payloadType, 100);
	assert.equal(consumer.rtpParameters.codecs[0].channels, 6);
	assert.deepEqual((await producer.dump()).rtpParameters.codecs[0].parameters, MULTIOPUS.parameters);
	assert.deepEqual((await consumer.dump()).rtpParameters.codecs[0].parameters, MULTIOPUS.parameters);
});

test('multiopus with other streams or channels is refused', async () => {
	const router = await ctx.worker.createRouter({ mediaCodecs: [MULTIOPUS] });
	const transport = await router.createDirectTransport();
	for (const parameters of [{ num_streams: 2 }, { coupled_streams: 1 }]) {
		await assert.rejects(transport.produce(multiopusProducer(parameters)), { name: 'UnsupportedError' });
	}
	const producer = await transport.produce(multiopusProducer());
	const rtpCapabilities = { codecs: [{ ...MULTIOPUS, channels: 8 }] };
	assert.equal(router.canConsume({ producerId: producer.id, rtpCapabilities }), false);
	await assert.rejects(transport.consume({ producerId: producer.id, rtpCapabilities }), Error);
});

test('a router with all codecs at once', async () => {
	const worker = await mediasoup.createWorker();
	try {
		const router = await worker.createRouter({ mediaCodecs: codecs.filter(codec => !isFeature(codec)).map(mediaCodec).map(codec => ({ ...codec, preferredPayloadType: undefined })) });
		assert.ok(router.rtpCapabilities.codecs.length > 10);
	} finally {
		await closeWorker(worker);
	}
});
