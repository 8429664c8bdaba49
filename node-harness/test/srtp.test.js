// SRTP with every suite, against a second implementation (lib/srtp.js), and packets that must be dropped.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audioProducer, useWorker, videoProducer } from '../lib/fixture.js';
import { TYPE, compactNtp, nack, ntpNow, senderReport } from '../lib/rtcp.js';
import { buildRtp, vp8 } from '../lib/rtp.js';
import { SUITES, SrtpSession, deriveKey, generateKeyBase64 } from '../lib/srtp.js';
import { until } from '../lib/wait.js';

const ctx = useWorker();
const audio = (sequenceNumber, overrides = {}) => buildRtp({
	payloadType: 111, ssrc: 11111111, sequenceNumber, timestamp: sequenceNumber * 960, payload: Buffer.from(`audio ${sequenceNumber}`), ...overrides,
});

// encryptedSource is a comedia transport that takes packets with a key of the test.
async function encryptedSource(suite, options = audioProducer()) {
	const keyBase64 = generateKeyBase64(suite);
	const source = await ctx.source(options, {
		transportOptions: { enableSrtp: true, srtpCryptoSuite: suite },
		connect: { srtpParameters: { cryptoSuite: suite, keyBase64 } },
		peerOptions: { local: new SrtpSession(suite, keyBase64) },
	});
	source.peer.remote = new SrtpSession(suite, source.transport.srtpParameters.keyBase64);
	return source;
}

// encryptedSink is a transport that sends encrypted packets to a peer that decrypts them.
async function encryptedSink(producer, suite) {
	const keyBase64 = generateKeyBase64(suite);
	const sink = await ctx.sink(producer, {
		transportOptions: { enableSrtp: true, srtpCryptoSuite: suite },
		connect: { srtpParameters: { cryptoSuite: suite, keyBase64 } },
		peerOptions: { local: new SrtpSession(suite, keyBase64) },
	});
	sink.peer.remote = new SrtpSession(suite, sink.transport.srtpParameters.keyBase64);
	return sink;
}

test('the test\'s own key derivation gives the keys of RFC 3711, appendix B.3', () => {
	const key = Buffer.from('E1F97A0D3E018BE0D64FA32C06DE4139', 'hex');
	const salt = Buffer.from('0EC675AD498AFEEBB6960B3AABE6', 'hex');
	const derived = (label, length) => deriveKey('aes-128', key, salt, label, length).toString('hex').toUpperCase();
	assert.equal(derived(0, 16), 'C61E7A93744F39EE10734AFE3FF7A087');
	assert.equal(derived(2, 14), '30CBBC08863D8C85D49DB34A9AE1');
	assert.equal(derived(1, 20), 'CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4');
});

for (const suite of Object.keys(SUITES)) {
	test(`${suite}: RTP in and out, over the wrap of the sequence number`, async () => {
		const source = await encryptedSource(suite);
		assert.equal(source.transport.srtpParameters.cryptoSuite, suite);
		const sink = await encryptedSink(source.producer, suite);
		const numbers = [65533, 65534, 65535, 0, 1, 2];
		for (const sequenceNumber of numbers) {
			await source.peer.send(audio(sequenceNumber), source.peer.target);
		}
		await until('all packets', () => sink.peer.rtp.length === numbers.length);
		assert.deepEqual(sink.peer.rtp.map(({ payload }) => payload.toString()), numbers.map(number => `audio ${number}`));
		assert.ok(!sink.peer.raw.some(packet => packet.includes('audio')), 'nothing leaves in the clear');
		assert.equal((await source.producer.getStats())[0].packetCount, numbers.length);
	});

	test(`${suite}: RTCP in and out, RTX`, async () => {
		const source = await encryptedSource(suite, videoProducer());
		const sink = await encryptedSink(source.producer, suite);
		const payload = vp8({ keyFrame: true, text: 'video' });
		await source.peer.send(buildRtp({ payloadType: 112, ssrc: 22222222, sequenceNumber: 1, payload }), source.peer.target);
		const first = await sink.peer.nextRtp('the key frame');
		const { encodings } = sink.consumer.rtpParameters;
		await sink.peer.send(nack({ mediaSsrc: encodings[0].ssrc, sequenceNumbers: [first.sequenceNumber] }), sink.peer.target);
		const again = await sink.peer.nextRtp('RTX', ({ ssrc }) => ssrc === encodings[0].rtx.ssrc);
		assert.ok(again.payload.subarray(2).equals(payload));

		const ntp = ntpNow();
		await source.peer.send(senderReport({ ssrc: 22222222, ntp, timestamp: 0, packetCount: 1 }), source.peer.target);
		await source.peer.nextRtcp('RR that quotes the SR', packet =>
			packet.type === TYPE.RR && packet.reports.some(({ lastSenderReport }) => lastSenderReport === compactNtp(ntp)));
		await sink.peer.nextRtcp('SR', ({ type, ssrc }) => type === TYPE.SR && ssrc === encodings[0].ssrc);
	});
}

test('suites may differ between transports', async () => {
	const source = await encryptedSource('AES_CM_128_HMAC_SHA1_32');
	const sinks = [await encryptedSink(source.producer, 'AEAD_AES_256_GCM'), await ctx.sink(source.producer)];
	await source.peer.send(audio(1), source.peer.target);
	for (const { peer } of sinks) {
		assert.equal((await peer.nextRtp('the packet')).payload.toString(), 'audio 1');
	}
});

test('packets that fail authentication are dropped, however many, and not counted as media', async () => {
	const source = await encryptedSource('AEAD_AES_128_GCM');
	const sink = await encryptedSink(source.producer, 'AEAD_AES_128_GCM');
	await source.peer.send(audio(1), source.peer.target);
	const stranger = new SrtpSession('AEAD_AES_128_GCM', generateKeyBase64('AEAD_AES_128_GCM'));
	for (let i = 0; i < 200; i++) {
		await source.peer.sendRaw(stranger.protectRtp(audio(100 + i)));
		await source.peer.sendRaw(audio(500 + i)); // Unencrypted.
	}
	await source.peer.send(audio(2), source.peer.target);
	await sink.peer.nextRtp('the packet after the forged ones', ({ payload }) => payload.toString() === 'audio 2');
	assert.deepEqual(sink.peer.rtp.map(({ payload }) => payload.toString()), ['audio 1', 'audio 2']);
	assert.equal((await source.producer.getStats())[0].packetCount, 2);
});

test('a replayed packet is dropped', async () => {
	const source = await encryptedSource('AES_CM_128_HMAC_SHA1_80');
	const sink = await encryptedSink(source.producer, 'AES_CM_128_HMAC_SHA1_80');
	const packet = source.peer.local.protectRtp(audio(1));
	for (let i = 0; i < 3; i++) {
		await source.peer.sendRaw(packet);
	}
	await source.peer.send(audio(2), source.peer.target);
	await sink.peer.nextRtp('the packet after the replays', ({ payload }) => payload.toString() === 'audio 2');
	assert.equal(sink.peer.rtp.length, 2);
	assert.equal((await source.producer.getStats())[0].packetCount, 2);
});

test('with comedia, a forged packet does not bind the transport to its sender', async () => {
	const source = await encryptedSource('AEAD_AES_128_GCM');
	const sink = await ctx.sink(source.producer);
	const stranger = await ctx.peer();
	await stranger.sendRaw(audio(1), source.peer.target);
	await source.peer.send(audio(2), source.peer.target);
	await sink.peer.nextRtp('the sender\'s packet', ({ payload }) => payload.toString() === 'audio 2');
	assert.equal(sink.peer.rtp.length, 1);
	await until('the tuple', () => source.transport.tuple.remotePort === source.peer.port);
});

test('wrong keys and suites are TypeErrors', async () => {
	const transport = await ctx.router.createPlainTransport({ listenIp: '127.0.0.1', enableSrtp: true, srtpCryptoSuite: 'AEAD_AES_128_GCM' });
	const good = { ip: '127.0.0.1', port: 9 };
	for (const srtpParameters of [
		undefined,
		{ cryptoSuite: 'FOO', keyBase64: generateKeyBase64('AEAD_AES_128_GCM') },
		{ cryptoSuite: 'AEAD_AES_128_GCM', keyBase64: 'c2hvcnQ=' },
		{ cryptoSuite: 'AEAD_AES_128_GCM', keyBase64: '***' },
	]) {
		await assert.rejects(transport.connect({ ...good, srtpParameters }), TypeError, JSON.stringify(srtpParameters));
	}
	await transport.connect({ ...good, srtpParameters: { cryptoSuite: 'AEAD_AES_128_GCM', keyBase64: generateKeyBase64('AEAD_AES_128_GCM') } });
});
