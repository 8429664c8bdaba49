// Real RTP over UDP: which packets are forwarded, and with which headers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ABS_SEND_TIME_URI, AUDIO_LEVEL_URI, MID_URI, audioProducer, extensionId, useWorker, videoProducer } from '../lib/fixture.js';
import { buildRtp, vp8 } from '../lib/rtp.js';
import { until } from '../lib/wait.js';

const ctx = useWorker();
const audio = (sequenceNumber, overrides = {}) => buildRtp({
	payloadType: 111, ssrc: 11111111, sequenceNumber, timestamp: sequenceNumber * 960, payload: Buffer.from(`audio ${sequenceNumber}`), ...overrides,
});
const video = (sequenceNumber, { keyFrame = false, ...overrides } = {}) => buildRtp({
	payloadType: 112, ssrc: 22222222, sequenceNumber, timestamp: sequenceNumber * 3000, marker: true,
	payload: vp8({ keyFrame, text: `video ${sequenceNumber}` }), ...overrides,
});

test('header and extensions are the receiver\'s, the payload is the sender\'s', async () => {
	const source = await ctx.source(audioProducer());
	const sink = await ctx.sink(source.producer);
	const level = Buffer.from([0x85]);
	for (const sequenceNumber of [65534, 65535, 0, 1]) {
		await source.peer.sendRaw(audio(sequenceNumber, {
			marker: sequenceNumber === 65534,
			extensions: [{ id: 10, value: Buffer.from('AUDIO') }, { id: 12, value: level }],
		}));
	}
	await until('four packets', () => sink.peer.rtp.length === 4);
	const { rtpParameters } = sink.consumer;
	const [first] = sink.peer.rtp;
	assert.equal(first.version, 2);
	assert.equal(first.marker, true);
	for (const [i, packet] of sink.peer.rtp.entries()) {
		const sent = (65534 + i) & 0xffff;
		assert.equal(packet.payload.toString(), `audio ${sent}`);
		assert.equal(packet.timestamp, sent * 960);
		assert.equal(packet.ssrc, rtpParameters.encodings[0].ssrc);
		assert.equal(packet.payloadType, rtpParameters.codecs[0].payloadType);
		assert.equal(packet.sequenceNumber, (first.sequenceNumber + i) & 0xffff);
		assert.equal(packet.extensions.get(extensionId(rtpParameters, MID_URI))?.toString(), rtpParameters.mid);
		assert.deepEqual(packet.extensions.get(extensionId(rtpParameters, AUDIO_LEVEL_URI)), level);
	}
});

test('abs-send-time of video is filled in by the worker and grows', async () => {
	const source = await ctx.source(videoProducer());
	const sink = await ctx.sink(source.producer);
	const id = extensionId(sink.consumer.rtpParameters, ABS_SEND_TIME_URI);
	assert.ok(id > 0);
	for (const sequenceNumber of [1, 2, 3]) {
		await source.peer.sendRaw(video(sequenceNumber, { keyFrame: sequenceNumber === 1 }));
		await sink.peer.nextRtp(`packet ${sequenceNumber}`, packet => packet.payload.toString('latin1').endsWith(`video ${sequenceNumber}`));
	}
	const times = sink.peer.rtp.map(packet => packet.extensions.get(id).readUIntBE(0, 3));
	// 24 bits of 6.18 fixed point: seconds since 1900 modulo 64.
	assert.ok(times.every(time => time > 0), `${times}`);
	const steps = times.slice(1).map((time, i) => (time - times[i] + (1 << 24)) % (1 << 24));
	assert.ok(steps.every(step => step > 0 && step < 30 << 18), `${times}`);
});

test('a video consumer starts with a key frame', async () => {
	const source = await ctx.source(videoProducer());
	const sink = await ctx.sink(source.producer);
	await source.peer.sendRaw(video(1));
	await source.peer.sendRaw(video(2));
	await source.peer.sendRaw(video(3, { keyFrame: true }));
	await source.peer.sendRaw(video(4));
	await sink.peer.nextRtp('the last packet', packet => packet.payload.toString().endsWith('video 4'));
	assert.deepEqual(sink.peer.rtp.map(packet => packet.payload.toString().slice(-7)), ['video 3', 'video 4']);
	const [stat] = await sink.consumer.getStats();
	assert.equal(stat.packetCount, 2);
});

test('many consumers get every packet, each with its own header', async () => {
	const source = await ctx.source(audioProducer());
	const sinks = await Promise.all(Array.from({ length: 10 }, () => ctx.sink(source.producer)));
	for (let sequenceNumber = 1; sequenceNumber <= 20; sequenceNumber++) {
		await source.peer.sendRaw(audio(sequenceNumber));
	}
	for (const { peer, consumer } of sinks) {
		await until('twenty packets', () => peer.rtp.length === 20);
		assert.ok(peer.rtp.every(({ ssrc }) => ssrc === consumer.rtpParameters.encodings[0].ssrc));
		assert.deepEqual(peer.rtp.map(({ payload }) => payload.toString()), Array.from({ length: 20 }, (_, i) => `audio ${i + 1}`));
		const [stat] = await consumer.getStats();
		assert.equal(stat.packetCount, 20);
	}
	assert.equal(new Set(sinks.map(({ consumer }) => consumer.rtpParameters.encodings[0].ssrc)).size, 10);
	const [stat] = await source.producer.getStats();
	assert.equal(stat.packetCount, 20);
	assert.equal(stat.ssrc, 11111111);
	const [transport] = await source.transport.getStats();
	assert.equal(transport.rtpBytesReceived, transport.bytesReceived);
	assert.ok(transport.rtpBytesReceived >= 20 * 12);
});

test('a paused consumer is silent, and resumes without a gap in its sequence numbers', async () => {
	const source = await ctx.source(audioProducer());
	const sink = await ctx.sink(source.producer);
	const witness = await ctx.sink(source.producer);
	const send = async sequenceNumber => {
		await source.peer.sendRaw(audio(sequenceNumber));
		await witness.peer.nextRtp(`packet ${sequenceNumber}`, ({ payload }) => payload.toString() === `audio ${sequenceNumber}`);
	};
	await send(1);
	await sink.consumer.pause();
	await send(2);
	await send(3);
	await sink.consumer.resume();
	await send(4);
	await sink.peer.nextRtp('the packet after the pause', ({ payload }) => payload.toString() === 'audio 4');
	assert.deepEqual(sink.peer.rtp.map(({ payload }) => payload.toString()), ['audio 1', 'audio 4']);
	assert.equal(sink.peer.rtp[1].sequenceNumber, (sink.peer.rtp[0].sequenceNumber + 1) & 0xffff);
});

test('a paused producer is silent for all consumers', async () => {
	const source = await ctx.source(audioProducer());
	const sink = await ctx.sink(source.producer);
	await source.producer.pause();
	await source.peer.sendRaw(audio(1));
	// The packets of a paused producer are counted, so the count shows when the worker has handled one.
	await until('the producer has counted it', async () => (await source.producer.getStats())[0]?.packetCount === 1);
	await source.producer.resume();
	await source.peer.sendRaw(audio(2));
	await sink.peer.nextRtp('the packet after the pause', ({ payload }) => payload.toString() === 'audio 2');
	assert.equal(sink.peer.rtp.length, 1);
});

test('two producers on one transport are distinguished by SSRC', async () => {
	const source = await ctx.source(audioProducer());
	const other = await source.transport.produce(videoProducer());
	const audioSink = await ctx.sink(source.producer);
	const videoSink = await ctx.sink(other);
	await source.peer.sendRaw(video(1, { keyFrame: true }));
	await source.peer.sendRaw(audio(1));
	await audioSink.peer.nextRtp('audio');
	await videoSink.peer.nextRtp('video');
	assert.equal(audioSink.peer.rtp[0].payload.toString(), 'audio 1');
	assert.ok(videoSink.peer.rtp[0].payload.toString().endsWith('video 1'));
});

test('a producer without SSRC is found by its MID', async () => {
	const source = await ctx.source(audioProducer({ encodings: [{}] }));
	const sink = await ctx.sink(source.producer);
	await source.peer.sendRaw(audio(1, { ssrc: 777, extensions: [{ id: 10, value: Buffer.from('NOBODY') }] }));
	await source.peer.sendRaw(audio(2, { ssrc: 778, extensions: [{ id: 10, value: Buffer.from('AUDIO') }] }));
	await source.peer.sendRaw(audio(3, { ssrc: 778 }));
	await sink.peer.nextRtp('the last packet', ({ payload }) => payload.toString() === 'audio 3');
	assert.deepEqual(sink.peer.rtp.map(({ payload }) => payload.toString()), ['audio 2', 'audio 3']);
	assert.equal((await source.producer.getStats())[0].ssrc, 778);
});

test('a direct transport injects and receives', async () => {
	const direct = await ctx.router.createDirectTransport();
	const producer = await direct.produce(audioProducer());
	const sink = await ctx.sink(producer);
	const consumer = await direct.consume({ producerId: producer.id, rtpCapabilities: ctx.capabilities });
	const received = [];
	consumer.on('rtp', packet => received.push(packet));
	for (const sequenceNumber of [1, 2, 3]) {
		producer.send(audio(sequenceNumber));
	}
	await sink.peer.nextRtp('the last packet over UDP', ({ payload }) => payload.toString() === 'audio 3');
	await until('three packets in Node', () => received.length === 3);
	assert.equal(received[2].readUInt32BE(8), consumer.rtpParameters.encodings[0].ssrc);
	assert.ok(received[2].toString('latin1').endsWith('audio 3'));
	const [stat] = await direct.getStats();
	assert.equal(stat.type, 'direct-transport');
	assert.ok(stat.rtpBytesReceived > 0 && stat.rtpBytesSent > 0);
});

test('trace events show packets and key frames', async () => {
	const source = await ctx.source(videoProducer());
	const sink = await ctx.sink(source.producer);
	const traces = { producer: [], consumer: [] };
	source.producer.on('trace', trace => traces.producer.push(trace));
	sink.consumer.on('trace', trace => traces.consumer.push(trace));
	await source.producer.enableTraceEvent(['rtp', 'keyframe']);
	await sink.consumer.enableTraceEvent(['rtp', 'keyframe']);
	await source.peer.sendRaw(video(7, { keyFrame: true }));
	await until('traces', () => traces.producer.length > 0 && traces.consumer.length > 0);
	for (const [direction, found] of [['in', traces.producer], ['out', traces.consumer]]) {
		const keyFrame = found.find(({ type }) => type === 'keyframe');
		assert.equal(keyFrame?.direction, direction, found.map(({ type }) => type).join(', '));
		assert.equal(keyFrame.info.rtpPacket.isKeyFrame, true);
		assert.equal(keyFrame.info.isRtx, false);
	}
	assert.equal(traces.producer[0].info.rtpPacket.sequenceNumber, 7);
	assert.equal(traces.consumer[0].info.rtpPacket.ssrc, sink.consumer.rtpParameters.encodings[0].ssrc);
});

test('scores are reported once media flows', async () => {
	const source = await ctx.source(audioProducer());
	const sink = await ctx.sink(source.producer);
	const scores = [];
	source.producer.on('score', score => scores.push(score));
	await source.peer.sendRaw(audio(1));
	await until('the producer\'s score', () => scores.length > 0);
	assert.deepEqual(scores[0].map(({ encodingIdx, ssrc, score }) => ({ encodingIdx, ssrc, score })), [{ encodingIdx: 0, ssrc: 11111111, score: 10 }]);
	await until('the consumer\'s score', () => sink.consumer.score.producerScore === 10);
	assert.deepEqual(sink.consumer.score, { score: 10, producerScore: 10, producerScores: [10] });
});
