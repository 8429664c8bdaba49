// With comedia, the first sender becomes the remote side for good.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LISTEN, audioProducer, useWorker, videoProducer } from '../lib/fixture.js';
import { TYPE } from '../lib/rtcp.js';
import { buildRtp, vp8 } from '../lib/rtp.js';
import { until } from '../lib/wait.js';

const ctx = useWorker();
const audio = (sequenceNumber, text) => buildRtp({ payloadType: 111, ssrc: 11111111, sequenceNumber, payload: Buffer.from(text) });

test('the first sender is accepted, a second one ignored', async () => {
	const source = await ctx.source(audioProducer());
	const tuples = [];
	source.transport.on('tuple', tuple => tuples.push(tuple));
	const sink = await ctx.sink(source.producer);
	const stranger = await ctx.peer();
	await source.peer.sendRaw(audio(1, 'first'));
	await sink.peer.nextRtp('the first packet');
	await stranger.sendRaw(audio(2, 'stranger'), source.peer.target);
	await source.peer.sendRaw(audio(3, 'last'));
	await sink.peer.nextRtp('the last packet', ({ payload }) => payload.toString() === 'last');
	assert.deepEqual(sink.peer.rtp.map(({ payload }) => payload.toString()), ['first', 'last']);
	await ctx.allEvents();
	assert.equal(tuples.length, 1);
	assert.equal(tuples[0].remotePort, source.peer.port);
	assert.equal(tuples[0].remoteIp, '127.0.0.1');
	assert.equal(tuples[0].localPort, source.peer.target);
	assert.deepEqual((await source.transport.dump()).tuple, source.transport.tuple);
	assert.equal((await source.producer.getStats())[0].packetCount, 2);
});

test('media goes back to the sender', async () => {
	const source = await ctx.source(videoProducer());
	const other = await ctx.source(audioProducer());
	const back = await source.transport.consume({ producerId: other.producer.id, rtpCapabilities: ctx.capabilities });
	await source.peer.sendRaw(buildRtp({ payloadType: 112, ssrc: 22222222, sequenceNumber: 1, payload: vp8({ keyFrame: true }) }));
	await until('the tuple', () => source.transport.tuple.remotePort === source.peer.port);
	await other.peer.sendRaw(audio(1, 'hello'));
	const packet = await source.peer.nextRtp('media for the sender');
	assert.equal(packet.payload.toString(), 'hello');
	assert.equal(packet.ssrc, back.rtpParameters.encodings[0].ssrc);
});

test('the RTCP port has a sender of its own', async () => {
	const source = await ctx.source(audioProducer(), { transportOptions: { rtcpMux: false } });
	const tuples = [];
	source.transport.on('rtcptuple', tuple => tuples.push(tuple));
	const [first, second] = [await ctx.peer(), await ctx.peer()];
	const empty = Buffer.from([0x80, TYPE.RR, 0, 1, 0, 0, 0, 1]);
	await first.sendRaw(empty, source.transport.rtcpTuple.localPort);
	await second.sendRaw(empty, source.transport.rtcpTuple.localPort);
	await until('the tuple', () => tuples.length > 0);
	await ctx.allEvents();
	assert.equal(tuples.length, 1);
	assert.equal(tuples[0].remotePort, first.port);
});

test('without comedia only packets of the connected peer are accepted', async () => {
	const transport = await ctx.router.createPlainTransport(LISTEN);
	const producer = await transport.produce(audioProducer());
	const sink = await ctx.sink(producer);
	const [peer, stranger] = [await ctx.peer(), await ctx.peer()];
	await peer.sendRaw(audio(1, 'too early'), transport.tuple.localPort);
	await transport.dump();
	await transport.connect({ ip: '127.0.0.1', port: peer.port });
	await stranger.sendRaw(audio(2, 'stranger'), transport.tuple.localPort);
	await peer.sendRaw(audio(3, 'peer'), transport.tuple.localPort);
	await sink.peer.nextRtp('the peer\'s packet', ({ payload }) => payload.toString() === 'peer');
	assert.ok(!sink.peer.rtp.some(({ payload }) => payload.toString() === 'stranger'));
	await assert.rejects(transport.connect({ ip: '127.0.0.1', port: peer.port }), Error, 'connected already');
});
