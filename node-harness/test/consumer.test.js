// The checks of mediasoup's Consumer suite, which uses WebRtcTransports, for simple consumers on plain and direct transports.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { LISTEN, MID_URI, audioProducer, counter, useWorker, videoProducer } from '../lib/fixture.js';
import { until, within } from '../lib/wait.js';

const ctx = useWorker();
let transport;
let audio;
let video;

beforeEach(async () => {
	const source = await ctx.router.createPlainTransport({ ...LISTEN, comedia: true });
	audio = await source.produce({ ...audioProducer({ msid: '1111 2222' }), appData: { foo: 1 } });
	video = await source.produce(videoProducer());
	transport = await ctx.router.createPlainTransport(LISTEN);
});

const consume = (producer, options = {}) =>
	transport.consume({ producerId: producer.id, rtpCapabilities: ctx.capabilities, ...options });

test('a consumer appears in the dumps of router and transport', async () => {
	const seen = [];
	transport.observer.on('newconsumer', consumer => seen.push(consumer));
	assert.equal(ctx.router.canConsume({ producerId: audio.id, rtpCapabilities: ctx.capabilities }), true);
	const first = await consume(audio, { appData: { baz: 'LOL' } });
	assert.deepEqual(seen, [first]);
	assert.equal(first.producerId, audio.id);
	assert.equal(first.kind, 'audio');
	assert.equal(first.type, 'simple');
	assert.equal(first.rtpParameters.mid, '0');
	assert.equal(first.rtpParameters.msid, '1111 2222');
	assert.equal(first.paused, false);
	assert.equal(first.producerPaused, false);
	assert.equal(first.priority, 1);
	assert.deepEqual(first.score, { score: 10, producerScore: 0, producerScores: [0] });
	assert.equal(first.preferredLayers, undefined);
	assert.equal(first.currentLayers, undefined);
	assert.deepEqual(first.appData, { baz: 'LOL' });

	await video.pause();
	const second = await consume(video, { paused: true });
	assert.equal(second.rtpParameters.mid, '1');
	assert.equal(second.paused, true);
	assert.equal(second.producerPaused, true);

	const dump = await ctx.router.dump();
	assert.deepEqual(new Map(dump.mapProducerIdConsumerIds.map(({ key, values }) => [key, values])), new Map([
		[audio.id, [first.id]],
		[video.id, [second.id]],
	]));
	assert.deepEqual(new Map(dump.mapConsumerIdProducerId.map(({ key, value }) => [key, value])), new Map([
		[first.id, audio.id],
		[second.id, video.id],
	]));
	const transportDump = await transport.dump();
	assert.deepEqual(transportDump.producerIds, []);
	assert.deepEqual(new Set(transportDump.consumerIds), new Set([first.id, second.id]));
});

test('dump() repeats the RTP parameters that the receiver was given', async () => {
	const consumer = await consume(video, { paused: true });
	const dump = await consumer.dump();
	assert.equal(dump.id, consumer.id);
	assert.equal(dump.producerId, video.id);
	assert.equal(dump.kind, 'video');
	assert.equal(dump.type, 'simple');
	assert.equal(dump.paused, true);
	assert.equal(dump.producerPaused, false);
	assert.equal(dump.priority, 1);
	const { rtpParameters } = consumer;
	assert.deepEqual(dump.rtpParameters.codecs.map(codec => [codec.mimeType, codec.payloadType]), rtpParameters.codecs.map(codec => [codec.mimeType, codec.payloadType]));
	assert.deepEqual(dump.rtpParameters.headerExtensions.map(({ uri, id }) => [uri, id]), rtpParameters.headerExtensions.map(({ uri, id }) => [uri, id]));
	assert.equal(dump.rtpParameters.encodings[0].ssrc, rtpParameters.encodings[0].ssrc);
	assert.equal(dump.rtpParameters.encodings[0].rtx.ssrc, rtpParameters.encodings[0].rtx.ssrc);
	assert.equal(dump.rtpParameters.encodings[0].codecPayloadType, rtpParameters.codecs[0].payloadType);
	assert.deepEqual(dump.supportedCodecPayloadTypes, [rtpParameters.codecs[0].payloadType]);
	assert.equal(dump.consumableRtpEncodings.length, 1);
	assert.equal(dump.consumableRtpEncodings[0].ssrc, video.consumableRtpParameters.encodings[0].ssrc);
});

test('getStats() describes the stream before any packet', async () => {
	for (const producer of [audio, video]) {
		const consumer = await consume(producer);
		const [stat, ...others] = await consumer.getStats();
		assert.deepEqual(others, []);
		assert.equal(stat.type, 'outbound-rtp');
		assert.equal(stat.kind, producer.kind);
		assert.equal(stat.mimeType, producer.kind === 'audio' ? 'audio/opus' : 'video/VP8');
		assert.equal(stat.ssrc, consumer.rtpParameters.encodings[0].ssrc);
		assert.equal(stat.packetCount, 0);
		assert.equal(stat.byteCount, 0);
		assert.equal(stat.score, 10);
	}
});

test('MIDs are counted, and may be given', async () => {
	assert.equal((await consume(audio)).rtpParameters.mid, '0');
	assert.equal((await consume(audio, { mid: 'custom-mid' })).rtpParameters.mid, 'custom-mid');
	assert.equal((await consume(audio)).rtpParameters.mid, '1');
});

test('enableRtx lets an audio receiver ask again', async () => {
	const consumer = await consume(audio, { enableRtx: true });
	assert.ok(consumer.rtpParameters.codecs[0].rtcpFeedback.some(({ type }) => type === 'nack'));
	const plain = await consume(audio);
	assert.ok(!plain.rtpParameters.codecs[0].rtcpFeedback.some(({ type }) => type === 'nack'));
});

test('unknown producers and receivers that cannot decode are refused', async () => {
	await assert.rejects(consume({ id: '12345678' }), { name: 'NotFoundError' });
	const isac = { kind: 'audio', mimeType: 'audio/ISAC', preferredPayloadType: 100, clockRate: 32000, channels: 1 };
	for (const codecs of [[isac], []]) {
		const rtpCapabilities = { codecs, headerExtensions: [] };
		assert.equal(ctx.router.canConsume({ producerId: audio.id, rtpCapabilities }), false);
		await assert.rejects(consume(audio, { rtpCapabilities }), { name: 'UnsupportedError' });
	}
	assert.deepEqual((await transport.dump()).consumerIds, []);
});

test('pause() and resume() take effect in order and are observed', async () => {
	const consumer = await consume(audio);
	const events = counter(consumer.observer, ['pause', 'resume']);
	await consumer.pause();
	assert.equal((await consumer.dump()).paused, true);
	await consumer.resume();
	assert.equal((await consumer.dump()).paused, false);
	const pending = [consumer.pause(), consumer.resume(), consumer.pause(), consumer.pause()];
	await consumer.resume();
	await Promise.all(pending);
	assert.deepEqual(events, { pause: 3, resume: 3 });
});

test('setPreferredLayers() has no effect on a simple consumer, but is validated', async () => {
	const consumer = await consume(audio);
	await consumer.setPreferredLayers({ spatialLayer: 1, temporalLayer: 1 });
	assert.equal(consumer.preferredLayers, undefined);
	for (const wrong of [{}, { foo: '123' }, 'foo', { temporalLayer: 2 }]) {
		await assert.rejects(consumer.setPreferredLayers(wrong), TypeError);
	}
});

test('setPriority() and unsetPriority()', async () => {
	const consumer = await consume(video);
	await consumer.setPriority(2);
	assert.equal(consumer.priority, 2);
	assert.equal((await consumer.dump()).priority, 2);
	await consumer.unsetPriority();
	assert.equal(consumer.priority, 1);
	assert.equal((await consumer.dump()).priority, 1);
	for (const wrong of [undefined, 0, 'foo']) {
		await assert.rejects(consumer.setPriority(wrong), TypeError);
	}
});

test('enableTraceEvent() sets and resets the types', async () => {
	const consumer = await consume(video);
	const types = async () => new Set((await consumer.dump()).traceEventTypes);
	await consumer.enableTraceEvent(['rtp', 'pli']);
	assert.deepEqual(await types(), new Set(['rtp', 'pli']));
	await consumer.enableTraceEvent();
	assert.deepEqual(await types(), new Set());
	await consumer.enableTraceEvent(['nack', 'FOO', 'fir']);
	assert.deepEqual(await types(), new Set(['nack', 'fir']));
	for (const wrong of [123, 'rtp', ['fir', 123.123]]) {
		await assert.rejects(consumer.enableTraceEvent(wrong), TypeError);
	}
});

test('a consumer is notified once when its producer is paused and once when it is resumed', async () => {
	const consumer = await consume(audio);
	const events = counter(consumer, ['producerpause', 'producerresume']);
	const observed = [];
	consumer.observer.on('pause', () => observed.push('pause'));
	consumer.observer.on('resume', () => observed.push('resume'));
	await audio.pause();
	await until('producerpause', () => events.producerpause > 0);
	assert.equal(consumer.producerPaused, true);
	assert.equal(consumer.paused, false);
	// Pausing the consumer itself has no visible effect: it is silent already.
	await consumer.pause();
	await consumer.resume();
	await audio.resume();
	await until('producerresume', () => events.producerresume > 0);
	assert.equal(consumer.producerPaused, false);
	await ctx.allEvents(); // A second notification would have arrived by now.
	assert.deepEqual(events, { producerpause: 1, producerresume: 1 });
	assert.deepEqual(observed, ['pause', 'resume']);
});

test('close() removes the consumer from the dumps', async () => {
	const first = await consume(audio);
	const second = await consume(video);
	const events = counter(first.observer, ['close']);
	first.close();
	first.close();
	assert.equal(events.close, 1);
	const dump = await ctx.router.dump();
	assert.deepEqual(dump.mapConsumerIdProducerId, [{ key: second.id, value: video.id }]);
	assert.deepEqual(new Map(dump.mapProducerIdConsumerIds.map(({ key, values }) => [key, values])), new Map([
		[audio.id, []],
		[video.id, [second.id]],
	]));
	assert.deepEqual((await transport.dump()).consumerIds, [second.id]);
	for (const method of ['dump', 'getStats', 'pause', 'resume', 'requestKeyFrame']) {
		await assert.rejects(first[method](), { name: 'NotFoundError' }, method);
	}
	await assert.rejects(first.setPriority(2), { name: 'NotFoundError' });
});

test('closing the producer closes its consumers, once', async () => {
	const consumer = await consume(audio);
	const events = counter(consumer, ['producerclose', 'transportclose']);
	const closed = counter(consumer.observer, ['close']);
	audio.close();
	await until('producerclose', () => events.producerclose > 0);
	await assert.rejects(consumer.dump(), { name: 'NotFoundError' });
	assert.deepEqual((await transport.dump()).consumerIds, []);
	assert.deepEqual((await ctx.router.dump()).mapConsumerIdProducerId, []);
	await ctx.allEvents();
	assert.deepEqual(events, { producerclose: 1, transportclose: 0 });
	assert.equal(closed.close, 1);
});

test('closing the producer\'s transport closes consumers elsewhere, once', async () => {
	const source = await ctx.router.createPlainTransport({ ...LISTEN, comedia: true });
	const producer = await source.produce(audioProducer());
	const consumer = await consume(producer);
	const events = counter(consumer, ['producerclose', 'transportclose']);
	source.close();
	await until('producerclose', () => events.producerclose > 0);
	await assert.rejects(consumer.dump(), { name: 'NotFoundError' });
	assert.deepEqual(events, { producerclose: 1, transportclose: 0 });
});

test('closing the transport closes its consumers, once', async () => {
	const consumer = await consume(video);
	const events = counter(consumer, ['producerclose', 'transportclose']);
	const closing = within('transportclose', new Promise(resolve => consumer.once('transportclose', resolve)));
	transport.close();
	await closing;
	await assert.rejects(consumer.dump(), { name: 'NotFoundError' });
	const dump = await ctx.router.dump();
	assert.deepEqual(dump.mapConsumerIdProducerId, []);
	assert.deepEqual(new Set(dump.mapProducerIdConsumerIds.map(({ key }) => key)), new Set([audio.id, video.id]));
	assert.deepEqual(events, { producerclose: 0, transportclose: 1 });
});

test('a direct transport consumes as well', async () => {
	const direct = await ctx.router.createDirectTransport();
	const consumer = await direct.consume({ producerId: audio.id, rtpCapabilities: ctx.capabilities });
	assert.equal(consumer.type, 'simple');
	assert.ok(consumer.rtpParameters.headerExtensions.some(({ uri }) => uri === MID_URI));
	assert.deepEqual((await direct.dump()).consumerIds, [consumer.id]);
});
