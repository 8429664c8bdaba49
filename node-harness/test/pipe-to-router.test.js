// pipeToRouter() of the unchanged library where workers have nodes. These are hosts of their own here, with an address each: between
// Routers of one worker, of two workers over the same nodes, and of a worker with nodes and one without. In each of these, a call
// with sound, simulcast, SVC and data crosses the pipe, while its two sides are on nodes that are not those of the pipe's ends.
import assert from 'node:assert/strict';
import * as path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import * as mediasoup from 'mediasoup';
import { OPUS, VP8, closeWorker, counter } from '../lib/fixture.js';
import { MEDIA, SvcEncoder, Voice } from '../lib/media.js';
import { createCertificates, killNode, nodeStatus, startNode } from '../lib/nodes.js';
import { Peer } from '../lib/peer.js';
import { SimulcastEncoder, layerOf } from '../lib/pipes.js';
import { nack } from '../lib/rtcp.js';
import { until } from '../lib/wait.js';
import { NodeSctpPeer } from '../peers/node-sctp.js';

const OUT = path.join(import.meta.dirname, '..', '..', 'build', 'pipe-to-router');
const TLS = path.join(OUT, 'tls');
const HOSTS = { a: '127.0.2.1', b: '127.0.2.2', c: '127.0.2.3' };
const APPLICATION = '127.0.0.1';

const VP9 = { kind: 'video', mimeType: 'video/VP9', clockRate: 90000 };
const mediaCodecs = [OPUS, VP8, VP9];
// LISTEN is an address that is not a loopback one, as on a real host: nodes put their own in its place.
const LISTEN = { protocol: 'udp', ip: '0.0.0.0', announcedAddress: APPLICATION };
const BYTES = 60_000; // of a large message
const STREAM = 7; // of the chat

let nodes;
let workers; // by name
let closing; // what the test has opened

before(async () => {
	createCertificates(TLS, Object.keys(HOSTS));
	nodes = await Promise.all(Object.entries(HOSTS).map(([name, ip]) => startNode(name, ip, TLS, OUT)));
});

after(() => Promise.all(nodes.map(killNode)));

beforeEach(async () => {
	closing = [];
	const cluster = {
		GAZPACHO_CLUSTER: nodes.map(({ address }) => address).join(','), GAZPACHO_TLS_DIR: TLS, GAZPACHO_PLACEMENT: 'spread',
	};
	workers = { one: await createWorker(cluster), two: await createWorker(cluster), alone: await createWorker({}) };
});

afterEach(async () => {
	for (const close of closing.reverse()) {
		await close();
	}
	await Promise.all(Object.values(workers).map(closeWorker));
});

// createWorker starts a worker that has nothing of a cluster in its environment but what is given.
function createWorker(environment) {
	const had = { ...process.env };
	const restore = () => {
		Object.keys(process.env).filter(name => !(name in had)).forEach(name => delete process.env[name]);
		Object.assign(process.env, had);
	};
	Object.keys(process.env).filter(name => /^GAZPACHO_(CLUSTER|TLS|PLACEMENT)/.test(name)).forEach(name => delete process.env[name]);
	Object.assign(process.env, environment);
	const worker = mediasoup.createWorker({ logLevel: 'warn' }); // has spawned the process when it returns
	restore();
	return worker;
}

const PLACES = {
	'a Router of the same worker': { from: 'one', to: 'one', keepId: false },
	'a Router of another worker over the same nodes': { from: 'one', to: 'two', keepId: true },
	'a Router of another worker, under another id': { from: 'one', to: 'two', keepId: false },
	'a worker without nodes': { from: 'one', to: 'alone', keepId: true },
	'a worker with nodes, from one without': { from: 'alone', to: 'one', keepId: true },
};

// WAYS are what an application may ask for. onNodes says that the ends of the pipe are on nodes then, if the worker has some.
const WAYS = {
	'by default': { options: {}, onNodes: false },
	'on loopback addresses with SRTP and RTX': { options: { enableSrtp: true, enableRtx: true }, onNodes: false },
	'on addresses of nodes with SRTP and RTX': { options: { listenInfo: LISTEN, enableSrtp: true, enableRtx: true }, onNodes: true },
};

// place makes a PlainTransport, and a peer that it is connected with.
async function place(router) {
	const transport = await router.createPlainTransport({ listenInfo: LISTEN });
	const peer = await Peer.open();
	closing.push(() => peer.close());
	Object.assign(peer, { host: transport.tuple.localAddress, target: transport.tuple.localPort });
	await transport.connect({ ip: APPLICATION, port: peer.port });
	return { transport, peer };
}

// placeChannels makes a PlainTransport for data, and returns how its peer is connected.
async function placeChannels(router) {
	const transport = await router.createPlainTransport({ listenInfo: LISTEN, comedia: true, enableSctp: true });
	const connect = async () => {
		const peer = await NodeSctpPeer.open();
		closing.push(() => peer.close());
		peer.connect(transport.tuple.localPort, transport.tuple.localAddress);
		await peer.startSctp();
		return peer;
	};
	return { transport, connect };
}

// sendMedia makes the producers of a call, a transport each, and sends until the test ends.
async function sendMedia(router) {
	const senders = { voice: new Voice(), camera: null, screen: new SvcEncoder() };
	const producers = {};
	for (const { object, options } of MEDIA) {
		const { transport, peer } = await place(router);
		producers[object] = await transport.produce(options);
		senders[object] ??= new SimulcastEncoder(peer);
		peer.handleRtcp = packet => senders[object].handleRtcp?.(packet);
		senders[object].start(peer);
		closing.push(() => senders[object].stop());
	}
	return producers;
}

// watch consumes what the pipe's producers bring, on one transport.
async function watch(router, producers) {
	const { transport, peer } = await place(router);
	const streams = {};
	for (const [object, producer] of Object.entries(producers)) {
		const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
		const [{ ssrc, rtx }] = consumer.rtpParameters.encodings;
		const got = of => peer.rtp.filter(packet => packet.ssrc === of);
		streams[object] = {
			consumer, packets: () => got(ssrc), resent: () => got(rtx.ssrc), events: counter(consumer, ['producerpause', 'producerresume', 'producerclose']),
			ask: sequenceNumber => peer.sendRaw(nack({ mediaSsrc: ssrc, sequenceNumbers: [sequenceNumber] })),
		};
	}
	return { transport, streams };
}

// layerOfSvc returns the spatial layer of a packet of SvcEncoder.
const layerOfSvc = ({ payload }) => payload[3] >> 1 & 7;

// more waits for some packets that match, which come after those that have come.
async function more(what, stream, match = () => true) {
	const before = stream.packets().length;
	await until(what, () => stream.packets().slice(before).filter(match).length > 5);
}

function assertUnbroken(what, packets) {
	packets.forEach((packet, i) => assert.equal(packet.sequenceNumber, (packets[0].sequenceNumber + i) & 0xffff, `${what}, packet ${i}`));
}

// pipeAll pipes a call's producers and returns both ends of each pipe, by object.
async function pipeAll(router, producers, options) {
	const pairs = Object.entries(producers).map(async ([object, { id }]) =>
		[object, await router.pipeToRouter({ [object === 'chat' ? 'dataProducerId' : 'producerId']: id, ...options })]);
	return Object.fromEntries(await Promise.all(pairs));
}

const each = (objects, what) => Promise.all(Object.values(objects).map(what));
const map = (objects, what) => Object.fromEntries(Object.entries(objects).map(([name, object]) => [name, what(object, name)]));

// pipesOf returns the PipeTransports that a Router gets.
function pipesOf(router) {
	const pipes = [];
	router.observer.on('newtransport', transport => transport.constructor.name === 'PipeTransportImpl' && pipes.push(transport));
	return pipes;
}

const closed = object => until('it is closed', () => object.closed);

// Call is what crosses a pipe between two Routers: sound, a camera, a screen and a chat.
class Call {
	static async make(from, to, keepId, options) {
		const call = new Call();
		const [near, far] = await Promise.all([from, to].map(name => workers[name].createRouter({ mediaCodecs })));
		Object.assign(call, { near, far, keepId, options: { router: far, keepId, ...options } });
		call.pipes = [near, far].map(pipesOf);
		call.producers = await sendMedia(near);
		call.mouth = await placeChannels(near);
		call.chat = await call.mouth.transport.produceData({ sctpStreamParameters: { streamId: STREAM }, label: 'chat' });
		call.piped = await pipeAll(near, { ...call.producers, chat: call.chat }, call.options);
		call.pipeProducers = map(call.producers, (_, object) => call.piped[object].pipeProducer);
		Object.assign(call, await watch(far, call.pipeProducers));
		call.ear = await placeChannels(far);
		call.listener = await call.ear.transport.consumeData({ dataProducerId: call.piped.chat.pipeDataProducer.id });
		return call;
	}

	assertIds() {
		const made = { ...this.producers, chat: this.chat };
		for (const [object, { pipeProducer, pipeDataProducer }] of Object.entries(this.piped)) {
			assert.equal((pipeProducer ?? pipeDataProducer).id === made[object].id, this.keepId);
		}
		assert.deepEqual(map(this.pipeProducers, ({ type }) => type), { voice: 'simple', camera: 'simulcast', screen: 'svc' });
	}

	// assertPlaces checks that all of it uses one pair of PipeTransports, and on whose addresses these and the others are.
	assertPlaces(names, onNodes) {
		assert.deepEqual(this.pipes.map(({ length }) => length), [1, 1]);
		const isOnNode = ({ tuple }) => Object.values(HOSTS).includes(tuple.localAddress);
		const others = [[this.mouth.transport], [this.transport, this.ear.transport]];
		names.forEach((name, side) => {
			const [pipe] = this.pipes[side];
			assert.equal(isOnNode(pipe), name !== 'alone' && onNodes, `the pipe of ${name} is on ${pipe.tuple.localAddress}`);
			assert.equal(pipe.srtpParameters !== undefined, Boolean(this.options.enableSrtp));
			assert.deepEqual(others[side].map(isOnNode), others[side].map(() => name !== 'alone'));
		});
	}

	// choosesLayers checks sound, and the layers of simulcast and SVC that the consumers choose.
	async choosesLayers() {
		const { voice, camera, screen } = this.streams;
		await Promise.all([
			more('sound', voice),
			more('the best encoding', camera, packet => layerOf(packet) === 2),
			more('the best layer', screen, packet => layerOfSvc(packet) === 2),
		]);
		await Promise.all([camera, screen].map(({ consumer }) => consumer.setPreferredLayers({ spatialLayer: 0 })));
		await until('the lowest layers', () => [camera, screen].every(({ consumer }) => consumer.currentLayers?.spatialLayer === 0));
		await Promise.all([
			more('the lowest encoding', camera, packet => layerOf(packet) === 0),
			more('the lowest layer', screen, packet => layerOfSvc(packet) === 0),
		]);
	}

	// resends checks that the viewer gets a packet again, with RTX.
	async resends() {
		const { camera } = this.streams;
		const { sequenceNumber } = camera.packets().at(-1);
		await camera.ask(sequenceNumber);
		await until('the packet again', () => camera.resent().some(({ payload }) => payload.readUInt16BE(0) === sequenceNumber));
	}

	// carriesMessages waits for the pipe, which takes a moment to set up its association, and loses what is sent before.
	async carriesMessages() {
		const [speaker, hearer] = await Promise.all([this.mouth.connect(), this.ear.connect()]);
		const out = speaker.channel(STREAM);
		const { messages } = hearer.channel(this.listener.sctpStreamParameters.streamId);
		await until('the pipe carries data', () => {
			out.send('?');
			return messages.length > 0;
		});
		const sent = ['first', Buffer.alloc(BYTES, 'x'), ...Array.from({ length: 50 }, (_, i) => `message ${i}`)];
		sent.forEach(message => out.send(message));
		await until('the messages', () => messages.at(-1) === sent.at(-1));
		assert.deepEqual(messages.slice(messages.indexOf('first')), sent);
	}

	async pauses() {
		const all = Object.values(this.streams);
		const follow = (paused, events) => until(`paused: ${paused}`, async () => {
			const dumps = await each(this.pipeProducers, producer => producer.dump());
			return dumps.every(dump => dump.paused === paused) && all.every(({ consumer, events: { producerpause, producerresume } }) =>
				consumer.producerPaused === paused && producerpause + producerresume === events);
		});
		await each(this.producers, producer => producer.pause());
		await follow(true, 1);
		await each(this.producers, producer => producer.resume());
		await follow(false, 2);
		await Promise.all(all.map(stream => more('media again', stream)));
		Object.entries(this.streams).forEach(([object, { packets }]) => assertUnbroken(object, packets()));
	}

	// addsPaused pipes one more producer, which is paused, over the same pair.
	async addsPaused() {
		const { transport, peer } = await place(this.near);
		const producer = await transport.produce({ ...MEDIA.find(({ object }) => object === 'voice').options, paused: true });
		const voice = new Voice().start(peer);
		closing.push(() => voice.stop());
		const { quiet } = await pipeAll(this.near, { quiet: producer }, this.options);
		const { streams } = await watch(this.far, { quiet: quiet.pipeProducer });
		const { consumer, packets } = streams.quiet;
		assert.deepEqual([quiet.pipeConsumer.producerPaused, quiet.pipeProducer.paused, consumer.producerPaused], [true, true, true]);
		assert.deepEqual(this.pipes.map(({ length }) => length), [1, 1]);
		await producer.resume();
		await more('sound of what was paused', streams.quiet);
		assertUnbroken('what was paused', packets());
	}

	// closes ends one stream after the other, from either side of the pipe.
	async closes() {
		const { voice, camera, screen } = this.streams;
		this.producers.voice.close();
		await Promise.all([closed(this.pipeProducers.voice), closed(voice.consumer)]);
		this.pipeProducers.camera.close();
		await Promise.all([closed(this.piped.camera.pipeConsumer), closed(camera.consumer)]);
		assert.equal(this.producers.camera.closed, false);
		this.chat.close();
		await Promise.all([closed(this.piped.chat.pipeDataProducer), closed(this.listener)]);
		assert.deepEqual([voice, camera, screen].map(({ events }) => events.producerclose), [1, 1, 0]);
	}

	// beginsAnew closes one end of the pair: the library closes the other one, and makes a new pair when it is asked again.
	async beginsAnew() {
		const [[nearPipe], [farPipe]] = this.pipes;
		nearPipe.close();
		await Promise.all([closed(farPipe), closed(this.streams.screen.consumer)]);
		const { screen } = await pipeAll(this.near, { screen: this.producers.screen }, this.options);
		assert.deepEqual(this.pipes.map(({ length }) => length), [2, 2]);
		const { streams } = await watch(this.far, { screen: screen.pipeProducer });
		await more('the screen again', streams.screen, packet => layerOfSvc(packet) === 2);
	}

	close() {
		this.near.close();
		this.far.close();
	}
}

for (const [place, { from, to, keepId }] of Object.entries(PLACES)) {
	test(`calls reach ${place}`, async () => {
		await each(WAYS, async ({ options, onNodes }) => {
			const call = await Call.make(from, to, keepId, options);
			call.assertIds();
			call.assertPlaces([from, to], onNodes);
			await call.choosesLayers();
			await call.resends();
			await call.carriesMessages();
			await call.pauses();
			await call.addsPaused();
			await call.closes();
			await call.beginsAnew();
			call.close();
		});
		await until('the nodes are empty: no relay is left', async () => (await nodeStatus(nodes, TLS))
			.every(({ fronts }) => fronts.every(({ load }) => load.Transports + load.Producers + load.Consumers === 0)));
	});
}
