// Media both ways between the worker and a WebRTC peer (werift): ICE, DTLS, SRTP, RTCP, over UDP and TCP, on the transport's
// own ports and behind a WebRtcServer, with either side as DTLS client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RtcpRrPacket, RtcpSrPacket, RtcpSenderInfo } from 'werift';
import { audioProducer, useWorker, videoProducer } from '../lib/fixture.js';
import { buildRtp, vp8 } from '../lib/rtp.js';
import { PATIENCE_MS, until } from '../lib/wait.js';
import { SRTP_PROFILES, WeriftPeer } from '../peers/werift.js';

const ctx = useWorker();
const audio = n => buildRtp({ payloadType: 111, ssrc: 11111111, sequenceNumber: n, timestamp: n * 960, payload: Buffer.from(`audio ${n}`) });
const video = (n, keyFrame) => buildRtp({
	payloadType: 112, ssrc: 22222222, sequenceNumber: n, timestamp: n * 3000, marker: true, payload: vp8({ keyFrame, text: `video ${n}` }),
});
const says = text => ({ payload }) => payload.toString('latin1').endsWith(text);

// listenOptions returns where a transport listens: on one protocol only, so that the peer must use that.
async function listenOptions({ tcp, shared }) {
	const listenInfos = [{ protocol: tcp ? 'tcp' : 'udp', ip: '127.0.0.1' }];
	return shared ? { webRtcServer: await ctx.worker.createWebRtcServer({ listenInfos }) } : { listenInfos };
}

// join creates a transport and connects a peer to it. It records the transport's events.
async function join(options, peerOptions) {
	const transport = await ctx.router.createWebRtcTransport({ enableTcp: Boolean(peerOptions?.tcp), ...options });
	const events = { ice: [], tuples: [], dtls: [] };
	transport.on('icestatechange', state => events.ice.push(state));
	transport.on('iceselectedtuplechange', tuple => events.tuples.push(tuple));
	transport.on('dtlsstatechange', state => events.dtls.push(state));
	const peer = await WeriftPeer.open(peerOptions);
	ctx.peers.push(peer);
	await peer.connect(transport);
	await until('both ends are connected', () => transport.dtlsState === 'connected');
	return { transport, peer, events };
}

// consume creates a consumer on each transport for a producer.
const consume = (transport, producer) => transport.consume({ producerId: producer.id, rtpCapabilities: ctx.capabilities });

for (const tcp of [false, true]) {
	for (const shared of [false, true]) {
		for (const role of ['client', 'server']) {
			test(`media both ways: ${tcp ? 'TCP' : 'UDP'}, ${shared ? 'WebRtcServer' : 'own ports'}, the peer is DTLS ${role}`, async () => {
				const options = await listenOptions({ tcp, shared });
				const alice = await join(options, { tcp, role });
				const bob = await join(options, { tcp, role });

				const voice = await alice.transport.produce(audioProducer());
				const picture = await bob.transport.produce(videoProducer());
				await consume(bob.transport, voice);
				await consume(alice.transport, picture);
				await alice.peer.sendRtp(audio(1));
				await bob.peer.sendRtp(video(1, true));
				await bob.peer.nextRtp('Alice\'s voice', says('audio 1'));
				await alice.peer.nextRtp('Bob\'s picture', says('video 1'));

				for (const { transport, events } of [alice, bob]) {
					assert.equal(transport.iceState, 'completed');
					assert.deepEqual(events.dtls, ['connecting', 'connected']);
					assert.equal(events.ice.at(-1), 'completed');
					assert.equal(events.tuples.length, 1);
					assert.equal(events.tuples[0].protocol, tcp ? 'tcp' : 'udp');
					assert.equal(events.tuples[0].remoteIp, '127.0.0.1');
					assert.equal(events.tuples[0].localPort, transport.iceCandidates[0].port);
					assert.match(transport.dtlsRemoteCert, /^-----BEGIN CERTIFICATE-----\n/);
					const [stats] = await transport.getStats();
					assert.equal(stats.iceState, 'completed');
					assert.equal(stats.dtlsState, 'connected');
					assert.deepEqual(stats.iceSelectedTuple, events.tuples[0]);
					assert.ok(stats.bytesReceived > 0 && stats.bytesSent > 0);
					assert.ok(stats.rtpBytesReceived > 0 && stats.rtpBytesSent > 0);
				}
			});
		}
	}
}

test('over IPv6, on the second of several ports', async () => {
	const listenInfos = [{ protocol: 'udp', ip: '127.0.0.1' }, { protocol: 'udp', ip: '::1', announcedAddress: '::1' }];
	const alice = await join({ listenInfos }, { address: '::1' });
	const bob = await join({ listenInfos });
	await consume(bob.transport, await alice.transport.produce(audioProducer()));
	await consume(alice.transport, await bob.transport.produce(videoProducer()));
	await alice.peer.sendRtp(audio(1));
	await bob.peer.sendRtp(video(1, true));
	await bob.peer.nextRtp('Alice\'s voice', says('audio 1'));
	await alice.peer.nextRtp('Bob\'s picture', says('video 1'));
	assert.equal(alice.transport.iceSelectedTuple.remoteIp, '::1');
	assert.equal(alice.transport.iceSelectedTuple.localPort, alice.transport.iceCandidates[1].port);
});

for (const [name, profile] of Object.entries(SRTP_PROFILES)) {
	test(`the peer supports ${name} only`, async () => {
		const options = await listenOptions({});
		const alice = await join(options, { srtpProfiles: [profile] });
		const bob = await join(options, { srtpProfiles: [profile] });
		const voice = await alice.transport.produce(audioProducer());
		await consume(bob.transport, voice);
		await alice.peer.sendRtp(audio(1));
		await bob.peer.nextRtp('Alice\'s voice', says('audio 1'));
		assert.equal(alice.peer.dtls.dtls.srtp.srtpProfile, profile);
	});
}

test('RTCP flows both ways', async () => {
	const options = await listenOptions({});
	const alice = await join(options);
	const bob = await join(options);
	const picture = await alice.transport.produce(videoProducer());
	const consumer = await consume(bob.transport, picture);
	const { ssrc } = consumer.rtpParameters.encodings[0];
	for (let n = 1; n <= 3; n++) {
		await alice.peer.sendRtp(video(n, n === 1));
	}
	await bob.peer.nextRtp('Alice\'s picture', says('video 3'));

	// Alice gets a reception report that refers to her sender report; Bob gets a sender report from the worker.
	const ntpTimestamp = 0x1234_5678_9abc_def0n;
	await alice.peer.dtls.sendRtcp([new RtcpSrPacket({
		ssrc: 22222222, senderInfo: new RtcpSenderInfo({ ntpTimestamp, rtpTimestamp: 9000, packetCount: 3, octetCount: 90 }),
	})]);
	const lastReport = Number((ntpTimestamp >> 16n) & 0xffff_ffffn);
	const named = ({ reports = [] }) => reports.some(report => report.ssrc === 22222222 && report.lsr === lastReport);
	await alice.peer.nextRtcp('a reception report on Alice\'s sender report', packet => packet instanceof RtcpRrPacket && named(packet));
	const report = await bob.peer.nextRtcp('a sender report', packet => packet instanceof RtcpSrPacket && packet.ssrc === ssrc);
	assert.equal(report.senderInfo.packetCount, 3);

	const stats = await picture.getStats();
	assert.equal(stats.find(row => row.type === 'inbound-rtp').packetCount, 3);
});

for (const [name, moves, tcp] of [
	['on the same sockets', false, false],
	['from a new UDP socket', true, false],
	['from a new TCP connection', true, true],
]) {
	test(`an ICE restart ${name} leaves DTLS and media alone`, () => restart(moves, tcp));
}

async function restart(moves, tcp) {
	const alice = await join(await listenOptions({ tcp, shared: true }), { tcp });
	const bob = await join(await listenOptions({}));
	const voice = await alice.transport.produce(audioProducer());
	await consume(bob.transport, voice);
	await alice.peer.sendRtp(audio(1));
	await bob.peer.nextRtp('voice before the restart', says('audio 1'));

	const before = alice.transport.iceParameters;
	const iceParameters = await alice.transport.restartIce();
	assert.notEqual(iceParameters.usernameFragment, before.usernameFragment);
	assert.notEqual(iceParameters.password, before.password);
	await alice.peer.restartIce(alice.transport, iceParameters, { moves });
	await alice.peer.sendRtp(audio(2));
	await bob.peer.nextRtp('voice after the restart', says('audio 2'));
	await consume(alice.transport, await bob.transport.produce(audioProducer()));
	await bob.peer.sendRtp(audio(3));
	await alice.peer.nextRtp('voice to where the peer is now', says('audio 3'));
	assert.equal(alice.transport.iceState, 'completed');
	assert.deepEqual(alice.events.dtls, ['connecting', 'connected']);
	assert.equal(new Set(alice.events.tuples.map(({ remotePort }) => remotePort)).size, moves ? 2 : 1);
}

for (const shared of [false, true]) {
	test(`a TCP connection that the peer closes: ${shared ? 'WebRtcServer' : 'own ports'}`, async () => {
		const alice = await join(await listenOptions({ tcp: true, shared }), { tcp: true });
		await alice.peer.close();
		await until('ICE is disconnected', () => alice.transport.iceState === 'disconnected');
		assert.equal((await alice.transport.dump()).iceSelectedTuple, undefined);
	});
}

test('closing a transport closes DTLS at the peer', async () => {
	const alice = await join(await listenOptions({}));
	const closed = alice.peer.dtls.onStateChange.watch(state => state === 'closed', PATIENCE_MS);
	alice.transport.close();
	await closed;
});
