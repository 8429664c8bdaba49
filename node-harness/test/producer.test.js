// The checks of mediasoup's Producer suite, which uses WebRtcTransports, on plain and direct transports.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AUDIO_LEVEL_URI, LISTEN, MID_URI, audioProducer, counter, useWorker, videoProducer } from '../lib/fixture.js';
import { within } from '../lib/wait.js';

const ctx = useWorker();

const transports = {
	plain: () => ctx.router.createPlainTransport({ ...LISTEN, comedia: true }),
	direct: () => ctx.router.createDirectTransport(),
};

const simulcast = [
	{ ssrc: 30000001, rtx: { ssrc: 30000002 }, scalabilityMode: 'L1T3' },
	{ ssrc: 30000003, rtx: { ssrc: 30000004 } },
];

for (const [name, create] of Object.entries(transports)) {
	test(`${name}: produce() shows up in the dumps of router and transport`, async () => {
		const transport = await create();
		const seen = [];
		transport.observer.on('newproducer', producer => seen.push(producer));
		const producer = await transport.produce({ ...audioProducer(), appData: { foo: 1 } });
		assert.deepEqual(seen, [producer]);
		assert.equal(producer.kind, 'audio');
		assert.equal(producer.type, 'simple');
		assert.equal(producer.paused, false);
		assert.equal(producer.closed, false);
		assert.deepEqual(producer.score, []);
		assert.deepEqual(producer.appData, { foo: 1 });

		const routerDump = await ctx.router.dump();
		assert.deepEqual(routerDump.transportIds, [transport.id]);
		assert.deepEqual(routerDump.mapProducerIdConsumerIds, [{ key: producer.id, values: [] }]);
		assert.deepEqual(routerDump.mapConsumerIdProducerId, []);
		const transportDump = await transport.dump();
		assert.deepEqual(transportDump.producerIds, [producer.id]);
		assert.deepEqual(transportDump.consumerIds, []);
	});

	test(`${name}: close() takes the producer out of the dumps`, async () => {
		const transport = await create();
		const producer = await transport.produce(audioProducer());
		const events = counter(producer.observer, ['close']);
		producer.close();
		producer.close();
		assert.equal(events.close, 1);
		assert.equal(producer.closed, true);
		const routerDump = await ctx.router.dump();
		assert.deepEqual(routerDump.mapProducerIdConsumerIds, []);
		assert.deepEqual((await transport.dump()).producerIds, []);
		for (const method of ['dump', 'getStats', 'pause', 'resume']) {
			await assert.rejects(producer[method](), { name: 'NotFoundError' }, method);
		}
	});
}

test('dump() repeats the RTP parameters', async () => {
	const transport = await transports.plain();
	const codec = {
		mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2,
		parameters: { useinbandfec: 1, usedtx: 1, foo: 222.222, bar: '333' },
	};
	const producer = await transport.produce(audioProducer({ codecs: [codec] }));
	const dump = await producer.dump();
	assert.equal(dump.id, producer.id);
	assert.equal(dump.kind, 'audio');
	assert.equal(dump.type, 'simple');
	assert.equal(dump.paused, false);
	assert.deepEqual(dump.traceEventTypes, []);
	assert.equal(dump.rtpParameters.mid, 'AUDIO');
	assert.deepEqual(dump.rtpParameters.codecs, [{ ...codec, rtcpFeedback: [] }]);
	assert.deepEqual(dump.rtpParameters.headerExtensions, [
		{ uri: MID_URI, id: 10, encrypt: false, parameters: {} },
		{ uri: AUDIO_LEVEL_URI, id: 12, encrypt: false, parameters: {} },
	]);
	assert.equal(dump.rtpParameters.encodings.length, 1);
	assert.equal(dump.rtpParameters.encodings[0].codecPayloadType, 111);
	assert.equal(dump.rtpParameters.encodings[0].ssrc, 11111111);
	assert.equal(dump.rtpParameters.rtcp.cname, 'audio-1');
	assert.deepEqual(await producer.getStats(), []);
});

test('dump() of a simulcast producer names every encoding', async () => {
	const transport = await transports.plain();
	const producer = await transport.produce(videoProducer({ encodings: simulcast }));
	assert.equal(producer.type, 'simulcast');
	const dump = await producer.dump();
	assert.equal(dump.type, 'simulcast');
	assert.deepEqual(dump.rtpParameters.encodings.map(({ ssrc, rtx, codecPayloadType }) => [ssrc, rtx.ssrc, codecPayloadType]), [
		[30000001, 30000002, 112],
		[30000003, 30000004, 112],
	]);
	assert.deepEqual(dump.rtpParameters.codecs[0].rtcpFeedback, [
		{ type: 'nack', parameter: undefined }, { type: 'nack', parameter: 'pli' }, { type: 'ccm', parameter: 'fir' },
	]);
	assert.deepEqual(dump.rtpParameters.codecs[1].parameters, { apt: 112 });
});

test('the type follows from the encodings', async () => {
	const cases = [
		[[{ ssrc: 1 }], 'simple'],
		[[{ ssrc: 2, scalabilityMode: 'L1T3' }], 'svc'],
		[[{ ssrc: 3, scalabilityMode: 'L1T3' }, { ssrc: 4, scalabilityMode: 'L1T3' }], 'simulcast'],
	];
	for (const [encodings, type] of cases) {
		const transport = await transports.plain();
		const producer = await transport.produce(videoProducer({ encodings, codecs: [videoProducer().rtpParameters.codecs[0]] }));
		assert.equal(producer.type, type);
		assert.equal((await producer.dump()).type, type);
	}
});

test('produce() without header extensions, encodings and rtcp', async () => {
	const transport = await transports.plain();
	const { codecs } = audioProducer().rtpParameters;
	const producer = await transport.produce({ kind: 'audio', rtpParameters: { mid: 'AUDIO2', codecs } });
	assert.equal(producer.type, 'simple');
	const dump = await producer.dump();
	assert.deepEqual(dump.rtpParameters.headerExtensions, []);
	assert.equal(dump.rtpParameters.encodings.length, 1);
});

test('wrong arguments are TypeErrors and change nothing', async () => {
	const transport = await transports.plain();
	const rtx = { mimeType: 'video/rtx', payloadType: 113, clockRate: 90000, parameters: { apt: 111 } };
	const wrong = [
		{ kind: 'chicken', rtpParameters: {} },
		{ kind: 'audio', rtpParameters: {} },
		audioProducer({ encodings: [{ ssrc: '1111' }] }),
		videoProducer({ encodings: [], mid: undefined }),
		videoProducer({ codecs: [videoProducer().rtpParameters.codecs[0], rtx] }),
	];
	for (const options of wrong) {
		await assert.rejects(transport.produce(options), TypeError, JSON.stringify(options));
	}
	assert.deepEqual((await transport.dump()).producerIds, []);
});

test('unsupported codecs are UnsupportedErrors', async () => {
	const transport = await transports.plain();
	const isac = { mimeType: 'audio/ISAC', payloadType: 108, clockRate: 32000 };
	await assert.rejects(transport.produce(audioProducer({ codecs: [isac] })), { name: 'UnsupportedError' });
	const h264 = {
		mimeType: 'video/H264', payloadType: 112, clockRate: 90000,
		parameters: { 'packetization-mode': 1, 'profile-level-id': 'CHICKEN' },
	};
	await assert.rejects(transport.produce(videoProducer({ codecs: [h264], encodings: [{ ssrc: 5 }] })), { name: 'UnsupportedError' });
});

test('a second producer with the same id, MID or SSRC is refused', async () => {
	const transport = await transports.plain();
	const first = await transport.produce({ ...audioProducer(), id: 'one' });
	await assert.rejects(transport.produce({ ...audioProducer({ mid: 'X', encodings: [{ ssrc: 9 }] }), id: 'one' }), Error);
	await assert.rejects(transport.produce(audioProducer({ encodings: [{ ssrc: 9 }] })), Error, 'same MID');
	await assert.rejects(transport.produce(audioProducer({ mid: 'OTHER' })), Error, 'same SSRC');
	// The same id on another transport of the same router must fail as well, and leave nothing behind.
	const other = await transports.plain();
	await assert.rejects(other.produce({ ...audioProducer(), id: 'one' }), Error, 'same id in the router');
	assert.deepEqual((await other.dump()).producerIds, []);
	// After refusals, the table of SSRCs and MIDs is as before: what was refused may be taken now.
	const second = await transport.produce(audioProducer({ mid: 'OTHER', encodings: [{ ssrc: 9 }] }));
	assert.deepEqual(new Set((await transport.dump()).producerIds), new Set([first.id, second.id]));
});

test('without MID, RID and SSRC there is nothing to find the stream by', async () => {
	const transport = await transports.plain();
	await assert.rejects(transport.produce(audioProducer({ mid: undefined, encodings: [{}] })), Error);
	assert.deepEqual((await transport.dump()).producerIds, []);
});

test('pause() and resume() take effect in order and are observed', async () => {
	const transport = await transports.plain();
	const producer = await transport.produce(audioProducer());
	const events = counter(producer.observer, ['pause', 'resume']);
	await producer.pause();
	assert.equal(producer.paused, true);
	assert.equal((await producer.dump()).paused, true);
	await producer.resume();
	assert.equal(producer.paused, false);
	assert.equal((await producer.dump()).paused, false);
	const pending = [producer.pause(), producer.resume(), producer.pause(), producer.pause()];
	await producer.resume();
	await Promise.all(pending);
	assert.deepEqual(events, { pause: 3, resume: 3 });
	assert.equal((await producer.dump()).paused, false);
});

test('a producer may start paused', async () => {
	const transport = await transports.plain();
	const producer = await transport.produce({ ...audioProducer(), paused: true });
	assert.equal(producer.paused, true);
	assert.equal((await producer.dump()).paused, true);
});

test('enableTraceEvent() sets and resets the types', async () => {
	const transport = await transports.plain();
	const producer = await transport.produce(audioProducer());
	const types = async () => new Set((await producer.dump()).traceEventTypes);
	await producer.enableTraceEvent(['rtp', 'pli']);
	assert.deepEqual(await types(), new Set(['rtp', 'pli']));
	await producer.enableTraceEvent();
	assert.deepEqual(await types(), new Set());
	await producer.enableTraceEvent(['nack', 'FOO', 'fir']);
	assert.deepEqual(await types(), new Set(['nack', 'fir']));
	for (const wrong of [123, 'rtp', ['fir', 123.123]]) {
		await assert.rejects(producer.enableTraceEvent(wrong), TypeError);
	}
});

test('closing the transport closes its producers, once', async () => {
	const transport = await transports.plain();
	const producer = await transport.produce(videoProducer());
	const events = counter(producer, ['transportclose']);
	const closed = counter(producer.observer, ['close']);
	const closing = within('transportclose', new Promise(resolve => producer.once('transportclose', resolve)));
	transport.close();
	await closing;
	await assert.rejects(producer.dump(), { name: 'NotFoundError' });
	assert.deepEqual((await ctx.router.dump()).mapProducerIdConsumerIds, []);
	assert.equal(events.transportclose, 1);
	assert.equal(closed.close, 1);
});
