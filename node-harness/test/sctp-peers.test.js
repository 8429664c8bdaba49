// SCTP stacks of others on difficult ground: networks that lose, repeat and reorder, the largest messages, thousands of streams,
// peers that begin anew. DTLS is werift's, OpenSSL's (aiortc) or none (node-sctp).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorker } from '../lib/fixture.js';
import { Relay } from '../lib/relay.js';
import * as wait from '../lib/wait.js';
import { AiortcPeer } from '../peers/aiortc.js';
import { NodeSctpPeer } from '../peers/node-sctp.js';
import { WeriftPeer } from '../peers/werift.js';

const ctx = useWorker();
const LARGEST = 262_144;

// Those stacks are slow where packets are lost, and slower on a busy machine.
const until = (what, check) => wait.until(what, check, { timeout: 120_000 });

// overDtls connects a peer, DTLS client or server, to a new WebRtcTransport. prepare creates the data producers and consumers.
const overDtls = (Peer, role) => async prepare => {
	const transport = await ctx.router.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }], enableSctp: true });
	const prepared = await prepare(transport);
	const relay = await Relay.before(transport);
	const peer = await Peer.open({ role });
	ctx.peers.push(peer, relay);
	await peer.connect(transport, relay.candidates);
	await peer.startSctp(transport);
	return { transport, peer, relay, ...prepared };
};

// overUdp connects a peer to a new PlainTransport.
const overUdp = Peer => async prepare => {
	const transport = await ctx.router.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '127.0.0.1' }, comedia: true, enableSctp: true });
	const prepared = await prepare(transport);
	const relay = await Relay.open(transport.tuple.localPort);
	const peer = await Peer.open();
	ctx.peers.push(peer, relay);
	peer.connect(relay.port);
	await peer.startSctp(transport);
	return { transport, peer, relay, ...prepared };
};

const PEERS = {
	'werift, DTLS client': overDtls(WeriftPeer, 'client'),
	'werift, DTLS server': overDtls(WeriftPeer, 'server'),
	'aiortc on OpenSSL, DTLS client': overDtls(AiortcPeer, 'client'),
	'aiortc on OpenSSL, DTLS server': overDtls(AiortcPeer, 'server'),
	'node-sctp, no DTLS': overUdp(NodeSctpPeer),
};

// echo makes a transport send what it receives on a stream back on it.
const echo = (streamId, options = {}) => async transport => {
	const dataProducer = await transport.produceData({ sctpStreamParameters: { streamId, ...options } });
	const dataConsumer = await transport.consumeData({ dataProducerId: dataProducer.id, ...options });
	return { streamId, dataProducer, dataConsumer };
};

// channels opens the peer's end of an echo; mediasoup chooses the stream that comes back.
function channels(peer, { streamId, dataConsumer }, options) {
	const down = dataConsumer.sctpStreamParameters.streamId;
	const [first, second] = peer.channels(down === streamId ? [streamId] : [streamId, down], options);
	return { up: first, down: second ?? first };
}

async function comesBack({ up, down }, sent) {
	sent.forEach(message => up.send(message));
	await until('all messages came back', () => down.messages.length >= sent.length);
	assert.deepEqual(down.messages.splice(0), sent);
}

const large = size => Buffer.from(Array.from({ length: size }, (_, i) => i * i >> 3 & 0xff));
const many = Array.from({ length: 200 }, (_, i) => `message ${i}`);

for (const [name, join] of Object.entries(PEERS)) {
	test(`${name}: messages of all sizes over a bad network`, async () => {
		const { peer, relay, ...echoes } = await join(async transport => ({
			reliable: await echo(7, { ordered: true })(transport),
			unreliable: await echo(8, { ordered: false, maxRetransmits: 0 })(transport),
		}));
		const reliable = channels(peer, echoes.reliable);
		const unreliable = channels(peer, echoes.unreliable, { ordered: false, maxRetransmits: 0 });
		relay.spoilData(0.02);
		await comesBack(reliable, ['text', large(65_536), large(LARGEST), ...many, large(1)]);
		for (const { dropped, repeated, overtaken } of [relay.up, relay.down]) {
			assert.ok(dropped > 0 && repeated > 0 && overtaken > 0, `${dropped} dropped, ${repeated} repeated, ${overtaken} overtaken`);
		}
		// Not at the same time: when aiortc is told to skip something, it forgets what came of other messages, too.
		many.forEach(message => unreliable.up.send(message));
		await until('most messages came back', () => unreliable.down.messages.length > many.length / 2);
		await comesBack(reliable, ['whatever was lost']);
		assert.equal(new Set(unreliable.down.messages).size, unreliable.down.messages.length, 'none came twice');
	});
}

for (const name of ['werift, DTLS client', 'node-sctp, no DTLS']) { // aiortc takes ten seconds for it
	test(`${name}: 4,096 streams`, async () => {
		const ids = Array.from({ length: 4096 }, (_, i) => i);
		const { peer } = await PEERS[name](async transport => {
			for (let from = 0; from < ids.length; from += 512) { // a worker over nodes refuses more than 1,024 unanswered requests
				const producers = ids.slice(from, from + 512).map(streamId => transport.produceData({ sctpStreamParameters: { streamId } }));
				await Promise.all((await Promise.all(producers)).map(({ id }) => transport.consumeData({ dataProducerId: id })));
			}
		});
		const all = peer.channels(ids);
		const heard = () => all.flatMap(({ messages }) => messages);
		for (let from = 0; from < all.length; from += 256) { // werift becomes slow when much waits to be sent
			all.slice(from, from + 256).forEach((channel, i) => channel.send(`stream ${from + i}`));
			await until('each came back', () => heard().length === from + 256);
		}
		assert.deepEqual(heard().sort(), ids.map(id => `stream ${id}`).sort());
		assert.ok(all.every(({ messages }) => messages.length === 1));
	});
}

for (const name of ['werift, DTLS client', 'aiortc on OpenSSL, DTLS client', 'node-sctp, no DTLS']) {
	test(`${name}: the peer begins anew`, async () => {
		const states = [];
		const { peer, transport, ...echoing } = await PEERS[name](async transport => {
			transport.on('sctpstatechange', state => states.push(state));
			return echo(7)(transport);
		});
		for (let round = 0; round < 3; round++) {
			const channel = channels(peer, echoing);
			await comesBack(channel, [`round ${round}`, large(65_536), ...many]);
			await peer.startSctp(transport);
		}
		await comesBack(channels(peer, echoing), ['last']);
		assert.deepEqual(states.filter(state => state !== 'connecting'), ['connected']);
	});
}
