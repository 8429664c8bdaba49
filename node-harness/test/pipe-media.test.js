// Media between two routers, of two workers or of one: pipeToRouter(), and pipe transports that lose packets.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import * as mediasoup from 'mediasoup';
import { LISTEN, OPUS, VP8, audioProducer, closeWorker, counter, useWorker, videoProducer } from '../lib/fixture.js';
import { SimulcastEncoder, PIPES, Relay, layerOf, simulcastProducer } from '../lib/pipes.js';
import { buildRtp, isRtcp, vp8 } from '../lib/rtp.js';
import { until } from '../lib/wait.js';

const mediaCodecs = [OPUS, VP8];
const ctx = useWorker({ mediaCodecs });
let other;

beforeEach(async () => {
	other = await mediasoup.createWorker({ logLevel: 'warn' });
});

afterEach(() => closeWorker(other));

// PLACES are where the far router may be. Ids are unique within a worker, so a producer keeps its id only in another worker.
const PLACES = {
	'another worker': { far: () => other.createRouter({ mediaCodecs }), keepId: true },
	'the same worker': { far: () => ctx.worker.createRouter({ mediaCodecs }), keepId: false },
};

// film sends simulcast from a peer until the test ends.
function film(peer, options) {
	const encoder = new SimulcastEncoder(peer, options).start();
	ctx.peers.push({ close: () => encoder.stop() });
}

// watch consumes on a router through a plain transport.
async function watch(router, producer, options = {}) {
	const transport = await router.createPlainTransport(LISTEN);
	const peer = await ctx.peer();
	await transport.connect({ ip: '127.0.0.1', port: peer.port });
	const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities, ...options });
	return { transport, peer, consumer };
}

// assertUnbroken checks that a receiver sees one stream whose sequence numbers have no gap.
function assertUnbroken(packets, consumer) {
	packets.forEach((packet, i) => {
		assert.equal(packet.ssrc, consumer.rtpParameters.encodings[0].ssrc);
		assert.equal(packet.sequenceNumber, (packets[0].sequenceNumber + i) & 0xffff);
	});
}

for (const [place, { far, keepId }] of Object.entries(PLACES)) {
	for (const [how, options] of Object.entries(PIPES)) {
		test(`all encodings reach ${place} ${how}, where layers are chosen`, async () => {
			const router = await far();
			const source = await ctx.source(simulcastProducer());
			const { pipeConsumer, pipeProducer } = await ctx.router.pipeToRouter({ producerId: source.producer.id, router, keepId, ...options });
			assert.equal(pipeConsumer.type, 'pipe');
			assert.equal(pipeConsumer.rtpParameters.encodings.length, 3);
			assert.equal(pipeConsumer.rtpParameters.codecs.some(codec => codec.mimeType === 'video/rtx'), Boolean(options.enableRtx));
			assert.equal(pipeProducer.type, 'simulcast');
			assert.equal(pipeProducer.id === source.producer.id, keepId);

			const { peer, consumer } = await watch(router, pipeProducer);
			assert.equal(consumer.type, 'simulcast');
			await consumer.setPreferredLayers({ spatialLayer: 0 });
			const layers = [];
			consumer.on('layerschange', change => layers.push(change?.spatialLayer));
			film(source.peer);
			for (const layer of [0, 2, 1]) {
				await consumer.setPreferredLayers({ spatialLayer: layer });
				await until(`layer ${layer}`, () => layers.at(-1) === layer);
				const before = peer.rtp.length;
				await until(`packets of layer ${layer}`, () => peer.rtp.length > before + 5 && layerOf(peer.rtp.at(-1)) === layer);
				assert.equal(consumer.currentLayers.spatialLayer, layer);
			}
			assert.equal(layers.at(-1), 1);
			const order = peer.rtp.map(layerOf).filter((layer, i, all) => layer !== all[i - 1]);
			assert.deepEqual(order.slice(-2), [2, 1]);
			assertUnbroken(peer.rtp, consumer);
			assert.deepEqual(new Set((await pipeProducer.getStats()).map(stat => stat.ssrc)), new Set(pipeConsumer.rtpParameters.encodings.map(encoding => encoding.ssrc)));
		});
	}

	test(`pause and resume reach consumers in ${place}, once`, async () => {
		const router = await far();
		const source = await ctx.source(audioProducer());
		const { pipeConsumer, pipeProducer } = await ctx.router.pipeToRouter({ producerId: source.producer.id, router, keepId });
		const near = await ctx.sink(source.producer);
		const away = await watch(router, pipeProducer);
		const events = [pipeConsumer, near.consumer, away.consumer].map(consumer => counter(consumer, ['producerpause', 'producerresume']));
		let sequenceNumber = 0;
		const speak = text => source.peer.sendRaw(buildRtp({ payloadType: 111, ssrc: 11111111, sequenceNumber: ++sequenceNumber, timestamp: sequenceNumber * 960, payload: Buffer.from(text) }));
		const heard = ({ peer }, text) => peer.nextRtp(text, packet => packet.payload.toString() === text);

		await speak('one');
		await Promise.all([heard(near, 'one'), heard(away, 'one')]);
		await source.producer.pause();
		await until('the far side is paused', () => events.every(({ producerpause }) => producerpause === 1));
		await until('the far producer is paused', async () => (await pipeProducer.dump()).paused);
		assert.equal(pipeProducer.paused, true);
		assert.equal(away.consumer.producerPaused, true);
		const received = async () => (await source.transport.getStats())[0].bytesReceived;
		const before = await received();
		await speak('lost');
		await until('the worker has received what it must drop', async () => (await received()) > before);
		await source.producer.resume();
		await until('the far side goes on', () => events.every(({ producerresume }) => producerresume === 1));
		await until('the far producer goes on', async () => !(await pipeProducer.dump()).paused);
		await speak('two');
		await Promise.all([heard(near, 'two'), heard(away, 'two')]);
		for (const { peer } of [near, away]) {
			assert.deepEqual(peer.rtp.map(packet => packet.payload.toString()), ['one', 'two']);
		}
		assert.deepEqual(events, Array(3).fill({ producerpause: 1, producerresume: 1 }));
	});

	test(`a producer that is paused already is paused in ${place} too`, async () => {
		const router = await far();
		const source = await ctx.source({ ...audioProducer(), paused: true });
		const { pipeConsumer, pipeProducer } = await ctx.router.pipeToRouter({ producerId: source.producer.id, router, keepId });
		const { consumer } = await watch(router, pipeProducer);
		assert.deepEqual([pipeConsumer.producerPaused, pipeProducer.paused, consumer.producerPaused], [true, true, true]);
	});

	const closings = {
		'the producer': { close: ({ source }) => source.producer.close(), pipe: { producerclose: 1, transportclose: 0 } },
		'the producer\'s transport': { close: ({ source }) => source.transport.close(), pipe: { producerclose: 1, transportclose: 0 } },
		'the pipe consumer': { close: ({ pipeConsumer }) => pipeConsumer.close(), pipe: { producerclose: 0, transportclose: 0 }, producerLives: true },
		'the router': { close: () => ctx.router.close(), pipe: { producerclose: 0, transportclose: 1 }, routerGone: true },
	};
	for (const [what, { close, pipe, producerLives = false, routerGone = false }] of Object.entries(closings)) {
		test(`closing ${what} closes everything behind it in ${place}, once`, async () => {
			const router = await far();
			const source = await ctx.source(audioProducer());
			const { pipeConsumer, pipeProducer } = await ctx.router.pipeToRouter({ producerId: source.producer.id, router, keepId });
			const { consumer } = await watch(router, pipeProducer);
			const pipeEvents = counter(pipeConsumer, ['producerclose', 'transportclose']);
			const farEvents = counter(consumer, ['producerclose', 'transportclose']);
			const closed = [pipeConsumer, pipeProducer, consumer].map(object => counter(object.observer, ['close']));
			await close({ source, pipeConsumer });
			await until('all are closed', () => closed.every(count => count.close === 1));
			await until('the far router is empty', async () => (await router.dump()).mapProducerIdConsumerIds.length === 0);
			await Promise.all([ctx.worker.dump(), other.dump()]);
			assert.deepEqual(pipeEvents, pipe);
			assert.deepEqual(farEvents, { producerclose: 1, transportclose: 0 });
			assert.deepEqual(closed, Array(3).fill({ close: 1 }));
			assert.equal(source.producer.closed, !producerLives);
			if (!routerGone) {
				assert.equal((await ctx.router.dump()).mapProducerIdConsumerIds.length, producerLives ? 1 : 0);
			}
		});
	}
}

test('encodings identified by RID are piped too', async () => {
	const router = await PLACES['another worker'].far();
	const source = await ctx.source(simulcastProducer({ byRid: true }));
	const { pipeProducer } = await ctx.router.pipeToRouter({ producerId: source.producer.id, router, enableSrtp: true });
	const { peer, consumer } = await watch(router, pipeProducer, { preferredLayers: { spatialLayer: 2 } });
	film(source.peer, { byRid: true });
	await until('the best layer', () => consumer.currentLayers?.spatialLayer === 2);
	await peer.nextRtp('a packet of it', packet => layerOf(packet) === 2);
	assertUnbroken(peer.rtp, consumer);
});

test('the second producer uses the same pipe, in both directions', async () => {
	const router = await PLACES['another worker'].far();
	const there = await ctx.source(audioProducer());
	const video = await there.transport.produce(videoProducer());
	const transport = await router.createPlainTransport({ ...LISTEN, comedia: true });
	const back = await transport.produce(audioProducer());
	await Promise.all([
		ctx.router.pipeToRouter({ producerId: there.producer.id, router }),
		ctx.router.pipeToRouter({ producerId: video.id, router }),
		router.pipeToRouter({ producerId: back.id, router: ctx.router }),
	]);
	assert.equal((await ctx.router.dump()).transportIds.length, 2);
	assert.equal((await router.dump()).transportIds.length, 2);
	const { peer } = await ctx.sink(back);
	const speaker = await ctx.peer();
	await speaker.sendRaw(buildRtp({ payloadType: 111, ssrc: 11111111, sequenceNumber: 1, payload: Buffer.from('hello') }), transport.tuple.localPort);
	await peer.nextRtp('hello', packet => packet.payload.toString() === 'hello');
});

// A pipe through a relay that loses packets: the far worker requests them, the near one resends them.
for (const enableSrtp of [false, true]) {
	for (const enableRtx of [false, true]) {
		test(`packets lost in the pipe ${enableRtx ? 'are resent with RTX' : 'stay lost without RTX'}, ${enableSrtp ? 'with' : 'without'} SRTP`, async () => {
			const router = await PLACES['another worker'].far();
			const source = await ctx.source(videoProducer());
			const [near, away] = await Promise.all([ctx.router, router].map(r => r.createPipeTransport({ ...LISTEN, enableSrtp, enableRtx })));
			const relay = await Relay.open();
			try {
				await relay.join(near, away);
				const pipeConsumer = await near.consume({ producerId: source.producer.id });
				const { kind, rtpParameters } = pipeConsumer;
				const pipeProducer = await away.produce({ id: source.producer.id, kind, rtpParameters });
				const { peer } = await watch(router, pipeProducer);
				const { ssrc, rtx } = rtpParameters.encodings[0];
				let media = 0;
				relay.lose = (packet, direction) => {
					const isMedia = direction === 'there' && !isRtcp(packet) && packet.readUInt32BE(8) === ssrc;
					return isMedia && [5, 6, 9].includes(++media);
				};
				const COUNT = 30;
				for (let sequenceNumber = 1; sequenceNumber <= COUNT; sequenceNumber++) {
					await source.peer.sendRaw(buildRtp({
						payloadType: 112, ssrc: 22222222, sequenceNumber, timestamp: sequenceNumber * 3000, marker: true,
						payload: vp8({ keyFrame: sequenceNumber === 1, text: `<${sequenceNumber}>` }),
					}));
				}
				const got = () => new Set(peer.rtp.map(packet => Number(/<(\d+)>/.exec(packet.payload.toString('latin1'))?.[1])));
				await peer.nextRtp('the last packet', packet => packet.payload.toString('latin1').endsWith(`<${COUNT}>`));
				if (enableRtx) {
					await until('all packets', () => got().size === COUNT);
					const again = relay.rtp('there').filter(packet => packet.ssrc === rtx.ssrc);
					assert.ok(again.length >= 3, `${again.length} packets by RTX`);
					const [stat] = await pipeProducer.getStats();
					assert.ok(stat.nackCount >= 1 && stat.nackPacketCount >= 3 && stat.packetsRepaired >= 3, JSON.stringify(stat));
					const [sent] = await pipeConsumer.getStats();
					assert.ok(sent.packetsRetransmitted >= 3, JSON.stringify(sent));
				} else {
					assert.equal(rtx, undefined);
					assert.deepEqual([5, 6, 9].filter(lost => got().has(lost)), []);
					assert.equal((await pipeProducer.getStats())[0].nackCount, 0);
				}
			} finally {
				await relay.close();
			}
		});
	}
}
