// Data channels between the worker and a WebRTC peer (werift): SCTP over DTLS, over UDP and TCP.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useWorker } from '../lib/fixture.js';
import { until } from '../lib/wait.js';
import { WeriftPeer } from '../peers/werift.js';

const ctx = useWorker();
const STREAM = 3;

// join connects a peer with SCTP to a new transport. prepare creates the data producer or consumer that makes the worker
// start SCTP.
async function join({ tcp = false, shared = false, role = 'client' }, prepare) {
	const listenInfos = [{ protocol: tcp ? 'tcp' : 'udp', ip: '127.0.0.1' }];
	const listen = shared ? { webRtcServer: await ctx.worker.createWebRtcServer({ listenInfos }) } : { listenInfos };
	const transport = await ctx.router.createWebRtcTransport({ ...listen, enableTcp: tcp, enableSctp: true });
	const states = [];
	transport.on('sctpstatechange', state => states.push(state));
	const prepared = await prepare(transport);
	const peer = await WeriftPeer.open({ tcp, role });
	ctx.peers.push(peer);
	await peer.connect(transport);
	await peer.startSctp(transport);
	await until('the worker reports that SCTP is connected', () => transport.sctpState === 'connected');
	assert.deepEqual(states.filter(state => state !== 'connecting'), ['connected']);
	return { transport, peer, ...prepared };
}

// produceAndConsume makes a transport send what it receives on a stream back to its peer.
async function produceAndConsume(transport, options = {}) {
	const dataProducer = await transport.produceData({ sctpStreamParameters: { streamId: STREAM, ordered: true } });
	const dataConsumer = await transport.consumeData({ dataProducerId: dataProducer.id, ...options });
	return { dataProducer, dataConsumer };
}

// channels opens the peer's channels for sending and receiving; mediasoup chooses the stream of the latter.
function channels({ peer, dataConsumer }) {
	const up = peer.channel(STREAM);
	const { streamId } = dataConsumer.sctpStreamParameters;
	return { up, down: streamId === STREAM ? up : peer.channel(streamId) };
}

for (const tcp of [false, true]) {
	for (const shared of [false, true]) {
		for (const role of ['client', 'server']) {
			test(`echo: ${tcp ? 'TCP' : 'UDP'}, ${shared ? 'WebRtcServer' : 'own ports'}, the peer is DTLS ${role}`, async () => {
				const joined = await join({ tcp, shared, role }, produceAndConsume);
				const { up, down } = channels(joined);
				const sent = ['text', Buffer.from('bytes'), 'ä€𝄞', Buffer.alloc(100_000, 7), 'last'];
				joined.peer.sctp.setRemoteMaxMessageSize(joined.transport.sctpParameters.maxMessageSize);
				sent.forEach(message => up.send(message));
				await until('all messages came back', () => down.messages.length === sent.length);
				assert.deepEqual(down.messages.map(String), sent.map(String));
				assert.deepEqual(down.messages.map(Buffer.isBuffer), sent.map(Buffer.isBuffer));
				const [received] = await joined.dataProducer.getStats();
				assert.equal(received.messagesReceived, sent.length);
				const [delivered] = await joined.dataConsumer.getStats();
				assert.equal(delivered.messagesSent, sent.length);
				assert.equal(delivered.bytesSent, received.bytesReceived);
			});
		}
	}
}

test('from one peer to two others and to the application', async () => {
	const alice = await join({}, async transport => ({
		dataProducer: await transport.produceData({ sctpStreamParameters: { streamId: STREAM } }),
	}));
	const consume = async transport => ({ dataConsumer: await transport.consumeData({ dataProducerId: alice.dataProducer.id }) });
	const listeners = [await join({}, consume), await join({ tcp: true }, consume)];
	const downs = listeners.map(({ peer, dataConsumer }) => peer.channel(dataConsumer.sctpStreamParameters.streamId));
	const direct = await ctx.router.createDirectTransport();
	const heard = [];
	const observer = await direct.consumeData({ dataProducerId: alice.dataProducer.id });
	observer.on('message', message => heard.push(message.toString()));
	const up = alice.peer.channel(STREAM);
	const sent = Array.from({ length: 100 }, (_, i) => `message ${i}`);
	sent.forEach(message => up.send(message));
	for (const down of downs) {
		await until('all messages', () => down.messages.length === sent.length);
		assert.deepEqual(down.messages, sent);
	}
	await until('all messages at the application', () => heard.length === sent.length);
	assert.deepEqual(heard, sent);
});

test('from the application to a peer, empty messages too', async () => {
	const direct = await ctx.router.createDirectTransport();
	const dataProducer = await direct.produceData();
	const { peer, dataConsumer } = await join({}, async transport => ({
		dataConsumer: await transport.consumeData({ dataProducerId: dataProducer.id }),
	}));
	const down = peer.channel(dataConsumer.sctpStreamParameters.streamId);
	dataProducer.send('text');
	dataProducer.send('');
	dataProducer.send(Buffer.alloc(0));
	await dataConsumer.send('only for this one');
	await until('all messages', () => down.messages.length === 4);
	// The data producer's in their order. What is sent to the consumer alone may come before these, if it is on another node (docs/front.md).
	const alone = down.messages.indexOf('only for this one');
	assert.notEqual(alone, -1);
	const produced = down.messages.toSpliced(alone, 1);
	assert.deepEqual(produced.map(message => (Buffer.isBuffer(message) ? [...message] : message)), ['text', '', []]);
});

test('unordered messages all arrive', async () => {
	const joined = await join({}, transport => produceAndConsume(transport, { ordered: false, maxRetransmits: 10 }));
	const { up, down } = channels(joined);
	const sent = Array.from({ length: 50 }, (_, i) => `${i}`);
	sent.forEach(message => up.send(message));
	await until('all messages', () => down.messages.length === sent.length);
	assert.deepEqual(down.messages.map(Number).sort((a, b) => a - b), sent.map(Number));
});

test('closing a data consumer closes the peer\'s data channel', async () => {
	const direct = await ctx.router.createDirectTransport();
	const dataProducer = await direct.produceData();
	const { peer, dataConsumer } = await join({}, async transport => ({
		dataConsumer: await transport.consumeData({ dataProducerId: dataProducer.id }),
	}));
	const down = peer.channel(dataConsumer.sctpStreamParameters.streamId);
	dataProducer.send('first');
	await until('a message', () => down.messages.length === 1);
	dataConsumer.close();
	await until('the channel is closed', () => down.readyState === 'closed');
});
