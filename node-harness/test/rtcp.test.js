// RTCP both ways: reports, requests to send again, requests for key frames.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audioProducer, useWorker, videoProducer } from '../lib/fixture.js';
import { RTPFB_NACK, PSFB_PLI, TYPE, compactNtp, fir, nack, ntpNow, pli, receiverReport, senderReport } from '../lib/rtcp.js';
import { buildRtp, vp8 } from '../lib/rtp.js';
import { until } from '../lib/wait.js';

const ctx = useWorker();
const video = (sequenceNumber, { keyFrame = false, ...overrides } = {}) => buildRtp({
	payloadType: 112, ssrc: 22222222, sequenceNumber, timestamp: sequenceNumber * 3000, marker: true,
	payload: vp8({ keyFrame, text: `video ${sequenceNumber}` }), ...overrides,
});
const isNack = packet => packet.type === TYPE.RTPFB && packet.count === RTPFB_NACK;
const isPli = packet => packet.type === TYPE.PSFB && packet.count === PSFB_PLI;
const text = packet => packet.payload.toString('latin1').slice(-7);

// flowing is a video producer and consumer between two peers, with the key frame (packet 1) forwarded.
async function flowing() {
	const source = await ctx.source(videoProducer());
	const sink = await ctx.sink(source.producer);
	await source.peer.sendRaw(video(1, { keyFrame: true }));
	await sink.peer.nextRtp('the key frame');
	return { source, sink };
}

test('the sender gets receiver reports that quote its sender report', async () => {
	const { source } = await flowing();
	const ntp = ntpNow();
	await source.peer.sendRaw(senderReport({ ssrc: 22222222, ntp, timestamp: 3000, packetCount: 1, octetCount: 20 }));
	const report = await source.peer.nextRtcp('RR that quotes the SR', packet =>
		packet.type === TYPE.RR && packet.reports.some(({ ssrc, lastSenderReport }) => ssrc === 22222222 && lastSenderReport === compactNtp(ntp)));
	const block = report.reports.find(({ ssrc }) => ssrc === 22222222);
	assert.equal(block.highest & 0xffff, 1);
	assert.equal(block.packetsLost, 0);
	assert.ok(block.delay > 0 && block.delay < 10 * 65536);
});

test('the receiver gets sender reports; its receiver reports show up in the statistics', async () => {
	const { source, sink } = await flowing();
	await source.peer.sendRaw(video(2));
	const ssrc = sink.consumer.rtpParameters.encodings[0].ssrc;
	const report = await sink.peer.nextRtcp('SR over two packets', packet => packet.type === TYPE.SR && packet.ssrc === ssrc && packet.packetCount === 2);
	const drift = Math.abs(report.ntp.seconds - ntpNow().seconds);
	assert.ok(drift <= 2, `the NTP time is ${drift} s off`);
	assert.ok(report.octetCount > 0);

	await sink.peer.sendRaw(receiverReport({
		ssrc: 1, mediaSsrc: ssrc, fractionLost: 64, packetsLost: 1, highest: 2, lastSenderReport: compactNtp(report.ntp), delay: 1,
	}));
	const stat = await until('the loss in the statistics', async () => (await sink.consumer.getStats()).find(({ packetsLost }) => packetsLost === 1));
	assert.equal(stat.fractionLost, 64);
	assert.ok(stat.roundTripTime > 0 && stat.roundTripTime < 10_000, `${stat.roundTripTime} ms`);
});

test('packets that the receiver misses are resent as RTX', async () => {
	const { source, sink } = await flowing();
	for (const sequenceNumber of [2, 3, 4]) {
		await source.peer.sendRaw(video(sequenceNumber));
	}
	const lost = await sink.peer.nextRtp('packet 3', packet => text(packet) === 'video 3');
	await sink.peer.nextRtp('packet 4', packet => text(packet) === 'video 4');
	const { encodings, codecs } = sink.consumer.rtpParameters;
	await sink.peer.sendRaw(nack({ mediaSsrc: encodings[0].ssrc, sequenceNumbers: [lost.sequenceNumber] }));
	const again = await sink.peer.nextRtp('RTX', ({ ssrc }) => ssrc === encodings[0].rtx.ssrc);
	assert.equal(again.payloadType, codecs[1].payloadType);
	assert.equal(again.payload.readUInt16BE(0), lost.sequenceNumber);
	assert.ok(again.payload.subarray(2).equals(lost.payload));
	assert.equal(again.timestamp, lost.timestamp);
	const [stat] = await sink.consumer.getStats();
	assert.equal(stat.nackCount, 1);
	assert.equal(stat.nackPacketCount, 1);
	assert.equal(stat.packetsRetransmitted, 1);
});

test('without RTX the same packet is resent', async () => {
	const source = await ctx.source(videoProducer());
	const sink = await ctx.sink(source.producer, {
		rtpCapabilities: { ...ctx.capabilities, codecs: ctx.capabilities.codecs.filter(({ mimeType }) => mimeType !== 'video/rtx') },
	});
	await source.peer.sendRaw(video(1, { keyFrame: true }));
	const first = await sink.peer.nextRtp('the key frame');
	await sink.peer.sendRaw(nack({ mediaSsrc: first.ssrc, sequenceNumbers: [first.sequenceNumber] }));
	await until('the key frame again', () => sink.peer.rtp.length === 2);
	const second = sink.peer.rtp[1];
	assert.equal(second.sequenceNumber, first.sequenceNumber);
	assert.equal(second.ssrc, first.ssrc);
	assert.ok(second.payload.equals(first.payload));
});

test('the worker requests the packets it misses, and RTX fills the gap', async () => {
	const { source, sink } = await flowing();
	await source.peer.sendRaw(video(2));
	await source.peer.sendRaw(video(5));
	const request = await source.peer.nextRtcp('NACK', packet => isNack(packet) && packet.mediaSsrc === 22222222);
	assert.deepEqual(request.sequenceNumbers, [3, 4]);
	for (const sequenceNumber of [3, 4]) {
		const original = video(sequenceNumber);
		const osn = Buffer.from([sequenceNumber >> 8, sequenceNumber & 0xff]);
		await source.peer.sendRaw(buildRtp({
			payloadType: 113, ssrc: 22222223, sequenceNumber: 100 + sequenceNumber, timestamp: sequenceNumber * 3000, marker: true,
			payload: Buffer.concat([osn, original.subarray(12)]),
		}));
	}
	await until('all five packets', () => sink.peer.rtp.length === 5);
	const start = sink.peer.rtp[0].sequenceNumber;
	const inOrder = sink.peer.rtp.toSorted((a, b) => ((a.sequenceNumber - start) & 0xffff) - ((b.sequenceNumber - start) & 0xffff));
	assert.deepEqual(inOrder.map(text), ['video 1', 'video 2', 'video 3', 'video 4', 'video 5']);
	assert.deepEqual(inOrder.map(({ sequenceNumber }) => (sequenceNumber - start) & 0xffff), [0, 1, 2, 3, 4]);
	assert.ok(sink.peer.rtp.every(({ ssrc }) => ssrc === sink.consumer.rtpParameters.encodings[0].ssrc));
	const [stat] = await source.producer.getStats();
	assert.equal(stat.rtxSsrc, 22222223);
	assert.equal(stat.packetsRepaired, 2);
	assert.equal(stat.nackPacketCount, 2);
});

test('requests of many consumers cause one key frame request', async () => {
	const { source, sink } = await flowing();
	const other = await ctx.sink(source.producer);
	await source.peer.nextRtcp('PLI for the new consumer', isPli);
	const began = performance.now();
	await source.peer.sendRaw(video(2, { keyFrame: true }));
	await other.peer.nextRtp('the key frame');
	const asked = () => source.peer.rtcp.filter(isPli).length;
	let before = asked();
	for (let i = 0; i < 10; i++) {
		await sink.consumer.requestKeyFrame();
		await other.consumer.requestKeyFrame();
		await sink.peer.sendRaw(pli({ mediaSsrc: sink.consumer.rtpParameters.encodings[0].ssrc }));
		await other.peer.sendRaw(fir({ mediaSsrc: other.consumer.rtpParameters.encodings[0].ssrc, sequence: i }));
	}
	await until('all requests have arrived', async () => {
		const [[first], [second]] = await Promise.all([sink.consumer.getStats(), other.consumer.getStats()]);
		return first.pliCount === 10 && second.firCount === 10;
	});
	// When the NACK has arrived, so has everything that the worker sent before it.
	await source.peer.sendRaw(video(9));
	await source.peer.nextRtcp('NACK', isNack);
	// The worker repeats a request 350 ms after a key frame, and every second while none comes; on a busy machine, that may be now.
	const ms = performance.now() - began;
	assert.ok(asked() > before && asked() <= before + 1 + Math.floor((ms + 650) / 1_000), `${asked() - before} requests in ${ms} ms`);
	// After the key frame, the next request is sent again.
	await source.peer.sendRaw(video(10, { keyFrame: true }));
	await sink.peer.nextRtp('the key frame', packet => packet.payload.toString('latin1').endsWith('video 10'));
	before = asked();
	await sink.consumer.requestKeyFrame();
	await until('another PLI', () => asked() > before);
});

test('a resumed consumer asks for a key frame', async () => {
	const { source, sink } = await flowing();
	await sink.consumer.pause();
	const before = source.peer.rtcp.filter(isPli).length;
	await sink.consumer.resume();
	await until('PLI', () => source.peer.rtcp.filter(isPli).length > before);
	await source.peer.sendRaw(video(2));
	await source.peer.sendRaw(video(3, { keyFrame: true }));
	await sink.peer.nextRtp('the key frame', packet => text(packet) === 'video 3');
	assert.ok(!sink.peer.rtp.some(packet => text(packet) === 'video 2'));
});

test('trace events show requests', async () => {
	const { source, sink } = await flowing();
	const traces = [];
	source.producer.on('trace', ({ type, direction }) => traces.push(`producer ${type} ${direction}`));
	sink.consumer.on('trace', ({ type, direction }) => traces.push(`consumer ${type} ${direction}`));
	await source.producer.enableTraceEvent(['pli', 'nack']);
	await sink.consumer.enableTraceEvent(['pli', 'nack', 'fir']);
	const { ssrc } = sink.consumer.rtpParameters.encodings[0];
	await sink.peer.sendRaw(pli({ mediaSsrc: ssrc }));
	await sink.peer.sendRaw(nack({ mediaSsrc: ssrc, sequenceNumbers: [sink.peer.rtp[0].sequenceNumber] }));
	await source.peer.sendRaw(video(4));
	const wanted = ['consumer pli in', 'consumer nack in', 'producer pli out', 'producer nack out'];
	await until(wanted.join(', '), () => wanted.every(trace => traces.includes(trace))).catch(error => {
		throw new Error(`${error.message}; there were: ${traces.join(', ')}`);
	});
});

test('RTCP of a direct transport goes through Node', async () => {
	const direct = await ctx.router.createDirectTransport();
	const producer = await direct.produce(videoProducer());
	const sink = await ctx.sink(producer);
	const received = [];
	direct.on('rtcp', packet => received.push(packet));
	producer.send(video(1, { keyFrame: true }));
	await sink.peer.nextRtp('the key frame');
	await sink.consumer.requestKeyFrame();
	await until('PLI in Node', () => received.some(packet => packet[1] === TYPE.PSFB));
	direct.sendRtcp(senderReport({ ssrc: 22222222, ntp: ntpNow(), timestamp: 3000, packetCount: 1 }));
	await until('RR in Node', () => received.some(packet => packet[1] === TYPE.RR));
});

test('RTCP on a port of its own', async () => {
	const source = await ctx.source(audioProducer(), { transportOptions: { rtcpMux: false } });
	const control = await ctx.peer();
	await source.peer.sendRaw(buildRtp({ payloadType: 111, ssrc: 11111111, sequenceNumber: 1 }));
	// Packets on two sockets arrive in any order, and a report about a stream that has not started is ignored.
	await until('the stream', async () => (await source.producer.getStats()).length > 0);
	const ntp = ntpNow();
	await control.sendRaw(senderReport({ ssrc: 11111111, ntp, timestamp: 1, packetCount: 1 }), source.transport.rtcpTuple.localPort);
	await control.nextRtcp('RR on the RTCP port', packet =>
		packet.type === TYPE.RR && packet.reports.some(({ lastSenderReport }) => lastSenderReport === compactNtp(ntp)));
	assert.equal(source.peer.rtcp.length, 0);
	assert.equal(source.transport.rtcpTuple.remotePort, control.port);
});
