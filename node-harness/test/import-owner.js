// An application with a worker of its own that sends sound, a camera, a screen and messages; import.test.js uses what it produces. It does
// with a producer what it is told, and answers when that is done.
import * as mediasoup from 'mediasoup';
import { OPUS, VP8 } from '../lib/fixture.js';
import { MEDIA, SvcEncoder, Voice } from '../lib/media.js';
import { Peer } from '../lib/peer.js';
import { SimulcastEncoder } from '../lib/pipes.js';
import { NodeSctpPeer } from '../peers/node-sctp.js';

const LISTEN = { protocol: 'udp', ip: '0.0.0.0' };
const STREAM = 1;

const worker = await mediasoup.createWorker({ logLevel: 'warn' });
const router = await worker.createRouter({ mediaCodecs: [OPUS, VP8, { kind: 'video', mimeType: 'video/VP9', clockRate: 90000 }] });
const senders = { voice: new Voice(), camera: null, screen: new SvcEncoder() };
const producers = {};
for (const { object, options } of MEDIA) {
	const transport = await router.createPlainTransport({ listenInfo: LISTEN });
	const peer = await Peer.open();
	Object.assign(peer, { host: transport.tuple.localAddress, target: transport.tuple.localPort });
	await transport.connect({ ip: '127.0.0.1', port: peer.port });
	producers[object] = await transport.produce(options);
	senders[object] ??= new SimulcastEncoder(peer);
	peer.handleRtcp = packet => senders[object].handleRtcp?.(packet);
	senders[object].start(peer);
}
// A peer's data channel; and messages of the application itself, which a pipe between its Routers brings to a node.
const transport = await router.createPlainTransport({ listenInfo: LISTEN, comedia: true, enableSctp: true });
const talker = await NodeSctpPeer.open();
talker.connect(transport.tuple.localPort, transport.tuple.localAddress);
producers.chat = await transport.produceData({ sctpStreamParameters: { streamId: STREAM, ordered: true }, label: 'chat', protocol: 'json' });
await talker.startSctp();
const channel = talker.channel(STREAM);
producers.bot = await (await router.createDirectTransport()).produceData({ label: 'bot' });
const { pipeDataProducer } = await router.pipeToRouter({
	dataProducerId: producers.bot.id, router: await worker.createRouter(), listenInfo: LISTEN, keepId: false,
});
const say = { chat: text => channel.send(text), bot: text => producers.bot.send(text) };

process.on('message', async ({ object, method, text }) => {
	if (object === 'router') {
		process.send({ dump: JSON.stringify([await worker.dump(), await router.dump()]) });
		return;
	}
	if (method === 'say') {
		say[object](text);
	} else {
		await producers[object][method]();
	}
	process.send({});
});
process.on('disconnect', () => process.exit());
process.send({ ...Object.fromEntries(Object.entries(producers).map(([object, { id }]) => [object, id])), bot: pipeDataProducer.id });
