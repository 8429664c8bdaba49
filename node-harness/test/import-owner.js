// An application with a worker of its own that sends sound, a camera and a screen; import.test.js uses what it produces. It does with a
// producer what it is told, and answers when that is done.
import * as mediasoup from 'mediasoup';
import { OPUS, VP8 } from '../lib/fixture.js';
import { MEDIA, SvcEncoder, Voice } from '../lib/media.js';
import { Peer } from '../lib/peer.js';
import { SimulcastEncoder } from '../lib/pipes.js';

const worker = await mediasoup.createWorker({ logLevel: 'warn' });
const router = await worker.createRouter({ mediaCodecs: [OPUS, VP8, { kind: 'video', mimeType: 'video/VP9', clockRate: 90000 }] });
const senders = { voice: new Voice(), camera: null, screen: new SvcEncoder() };
const producers = {};
for (const { object, options } of MEDIA) {
	const transport = await router.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '0.0.0.0' } });
	const peer = await Peer.open();
	Object.assign(peer, { host: transport.tuple.localAddress, target: transport.tuple.localPort });
	await transport.connect({ ip: '127.0.0.1', port: peer.port });
	producers[object] = await transport.produce(options);
	senders[object] ??= new SimulcastEncoder(peer);
	peer.handleRtcp = packet => senders[object].handleRtcp?.(packet);
	senders[object].start(peer);
}
process.on('message', async ({ object, method }) => {
	if (object === 'router') {
		process.send({ dump: JSON.stringify([await worker.dump(), await router.dump()]) });
		return;
	}
	await producers[object][method]();
	process.send({});
});
process.on('disconnect', () => process.exit());
process.send(Object.fromEntries(Object.entries(producers).map(([object, { id }]) => [object, id])));
