// Malformed and hostile input is dropped or refused, and everything else keeps working.
import assert from 'node:assert/strict';
import * as path from 'node:path';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { LISTEN, audioProducer, useWorker, videoProducer } from '../lib/fixture.js';
import { nack, pli, receiverReport, senderReport, ntpNow } from '../lib/rtcp.js';
import { buildRtp, vp8 } from '../lib/rtp.js';

const require = createRequire(import.meta.url);
// The numbers of the protocol's methods, read from mediasoup's files because mediasoup does not export them.
const { Method } = require(path.join(import.meta.dirname, '..', 'node_modules', 'mediasoup', 'node', 'lib', 'fbs', 'request', 'method.js'));

const ctx = useWorker();
const audio = (sequenceNumber, overrides = {}) => buildRtp({
	payloadType: 111, ssrc: 11111111, sequenceNumber, payload: Buffer.from(`audio ${sequenceNumber}`), ...overrides,
});

// unharmed sends one good packet and expects it at the other end.
async function unharmed(source, sink, sequenceNumber) {
	await source.peer.sendRaw(audio(sequenceNumber));
	await sink.peer.nextRtp('a good packet', ({ payload }) => payload.toString() === `audio ${sequenceNumber}`);
	assert.equal(ctx.worker.died, false);
}

test('datagrams cut off at every byte', async () => {
	const source = await ctx.source(audioProducer());
	const sink = await ctx.sink(source.producer);
	await unharmed(source, sink, 1);
	const samples = [
		audio(2, { extensions: [{ id: 10, value: Buffer.from('AUDIO') }, { id: 12, value: Buffer.from([5]) }] }),
		audio(3, { extensions: [{ id: 200, value: Buffer.alloc(40, 1) }] }),
		senderReport({ ssrc: 11111111, ntp: ntpNow(), timestamp: 1 }),
		receiverReport({ ssrc: 1, mediaSsrc: 2 }),
		nack({ mediaSsrc: 11111111, sequenceNumbers: [1, 2, 3] }),
		pli({ mediaSsrc: 11111111 }),
	];
	for (const sample of samples) {
		for (let length = 0; length < sample.length; length++) {
			await source.peer.sendRaw(sample.subarray(0, length));
		}
	}
	await unharmed(source, sink, 1000);
});

test('headers with wrong lengths and counts', async () => {
	const source = await ctx.source(audioProducer());
	const sink = await ctx.sink(source.producer);
	await unharmed(source, sink, 1);
	const lie = change => {
		const packet = audio(50, { extensions: [{ id: 12, value: Buffer.from([5]) }] });
		change(packet);
		return packet;
	};
	const lies = [
		lie(packet => { packet[0] |= 0x0f; }), // Fifteen CSRCs.
		lie(packet => { packet[0] |= 0x20; packet[packet.length - 1] = 255; }), // More padding than packet.
		lie(packet => { packet[0] |= 0x20; packet[packet.length - 1] = 0; }), // Padding of no length.
		lie(packet => packet.writeUInt16BE(0xffff, 14)), // An extension block longer than the packet.
		lie(packet => { packet[0] = 0x40; }), // Version 1.
		Buffer.alloc(0),
		Buffer.alloc(1500, 0xff),
		Buffer.alloc(60000, 0x80),
		Buffer.from([0x81, 201, 0xff, 0xff, 0, 0, 0, 1]), // An RTCP packet that claims 256 KB.
		Buffer.from([0x9f, 200, 0, 6, ...Array(24).fill(0)]), // 31 report blocks that are not there.
		Buffer.from([0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0x3f, 0xff, 0x3f, 0xff]), // Feedback on 65535 packets.
	];
	for (const bytes of lies) {
		await source.peer.sendRaw(bytes);
	}
	await unharmed(source, sink, 51);
	assert.ok(sink.peer.rtp.every(({ payload }) => payload.length < 100));
});

test('unknown SSRCs and payload types are dropped and leave no state', async () => {
	const source = await ctx.source(audioProducer());
	const sink = await ctx.sink(source.producer);
	await unharmed(source, sink, 1);
	for (let i = 0; i < 500; i++) {
		await source.peer.sendRaw(audio(i, { ssrc: 900_000_000 + i }));
		await source.peer.sendRaw(audio(100 + i, { payloadType: 50 + (i % 20) }));
	}
	await unharmed(source, sink, 2000);
	assert.equal(sink.peer.rtp.length, 2);
	assert.equal((await source.producer.getStats()).length, 1);
});

test('excessive feedback from a receiver', async () => {
	const source = await ctx.source(videoProducer());
	const sink = await ctx.sink(source.producer);
	await source.peer.sendRaw(buildRtp({ payloadType: 112, ssrc: 22222222, sequenceNumber: 1, payload: vp8({ keyFrame: true }) }));
	const first = await sink.peer.nextRtp('the key frame');
	for (let i = 0; i < 300; i++) {
		await sink.peer.sendRaw(nack({ mediaSsrc: first.ssrc, sequenceNumbers: Array.from({ length: 17 }, (_, n) => (first.sequenceNumber + i * 17 + n) & 0xffff) }));
		await sink.peer.sendRaw(pli({ mediaSsrc: first.ssrc }));
		await sink.peer.sendRaw(pli({ mediaSsrc: 4_000_000_000 }));
	}
	await source.peer.sendRaw(buildRtp({ payloadType: 112, ssrc: 22222222, sequenceNumber: 2, payload: vp8({ keyFrame: true, text: 'end' }) }));
	await sink.peer.nextRtp('the next frame', ({ payload }) => payload.toString('latin1').endsWith('end'));
	const [stat] = await sink.consumer.getStats();
	// Only a packet that was sent can be resent, and not more often than the round-trip time allows.
	assert.ok(stat.packetsRetransmitted <= 300, `${stat.packetsRetransmitted}`);
	assert.ok(source.peer.rtcp.filter(({ type }) => type === 206).length <= 3);
});

test('requests for ids that do not exist are refused', async () => {
	const transport = await ctx.router.createPlainTransport(LISTEN);
	const producer = await transport.produce(audioProducer());
	// Only Producer and Consumer expose their channel, which can reach all objects of the worker.
	const channel = producer.channelForTesting;
	const methods = ['ROUTER_DUMP', 'TRANSPORT_DUMP', 'PRODUCER_DUMP', 'CONSUMER_DUMP', 'TRANSPORT_GET_STATS', 'PRODUCER_PAUSE', 'CONSUMER_REQUEST_KEY_FRAME'];
	for (const method of methods) {
		await assert.rejects(channel.request(Method[method], undefined, undefined, 'no-such-id'), { name: 'NotFoundError' }, method);
	}
	// An id of another kind of object.
	await assert.rejects(channel.request(Method.ROUTER_DUMP, undefined, undefined, transport.id), Error);
	await assert.rejects(channel.request(Method.PRODUCER_DUMP, undefined, undefined, ctx.router.id), Error);
	await assert.rejects(channel.request(250, undefined, undefined, ctx.router.id), Error);
	assert.deepEqual((await ctx.router.dump()).transportIds, [transport.id]);
});

test('requests after close are refused, and the rest keeps working', async () => {
	const other = await ctx.worker.createRouter();
	const router = await ctx.worker.createRouter();
	const transport = await router.createPlainTransport(LISTEN);
	router.close();
	await assert.rejects(router.dump(), { name: 'NotFoundError' });
	await assert.rejects(transport.dump(), { name: 'NotFoundError' });
	await assert.rejects(router.createPlainTransport(LISTEN), { name: 'NotFoundError' });
	assert.equal((await other.dump()).id, other.id);
	assert.deepEqual(new Set((await ctx.worker.dump()).routerIds), new Set([ctx.router.id, other.id]));
});

test('a thousand requests at once are answered in order', async () => {
	const order = [];
	const transports = Array.from({ length: 200 }, (_, i) => ctx.router.createDirectTransport().then(transport => {
		order.push(i);
		return transport;
	}));
	const all = await Promise.all(transports);
	assert.deepEqual(order, Array.from({ length: 200 }, (_, i) => i));
	const dumps = await Promise.all(Array.from({ length: 1000 }, (_, i) => all[i % 200].dump()));
	dumps.forEach((dump, i) => assert.equal(dump.id, all[i % 200].id));
});

test('a port that is taken is refused, and freed by close()', async () => {
	const first = await ctx.router.createPlainTransport(LISTEN);
	const port = first.tuple.localPort;
	const same = { listenInfo: { protocol: 'udp', ip: '127.0.0.1', port } };
	await assert.rejects(ctx.router.createPlainTransport(same), Error);
	assert.deepEqual((await ctx.router.dump()).transportIds, [first.id]);
	first.close();
	const second = await ctx.router.createPlainTransport(same);
	assert.equal(second.tuple.localPort, port);
});
