// Two unchanged applications, each with a worker and a certificate of its own, over two nodes. One imports what the other one
// produces: media go from node to node, and the import does what the original does.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import * as mediasoup from 'mediasoup';
import { importDataProducer, importProducer } from '../gazpacho/import-producer.js';
import { OPUS, VP8, closeWorker, counter } from '../lib/fixture.js';
import { askToImport } from '../lib/imports.js';
import { createApplication, createCertificates, killNode, nodeStatus, startNode } from '../lib/nodes.js';
import { Peer } from '../lib/peer.js';
import { layerOf } from '../lib/pipes.js';
import { guard } from '../lib/processes.js';
import { until, within } from '../lib/wait.js';
import { NodeSctpPeer } from '../peers/node-sctp.js';

const OUT = path.join(import.meta.dirname, '..', '..', 'build', 'import-test');
const TLS = path.join(OUT, 'tls');
const HOSTS = { a: '127.0.3.1', b: '127.0.3.2' };
const mediaCodecs = [OPUS, { ...VP8, preferredPayloadType: 120 }, { kind: 'video', mimeType: 'video/VP9', clockRate: 90000 }];

let nodes;
let owner; // the other application
let originals; // ids of its producers and data producers

before(async () => {
	fs.mkdirSync(OUT, { recursive: true });
	createCertificates(TLS, Object.keys(HOSTS));
	createApplication(TLS, 'owner', 'acme');
	createApplication(TLS, 'importer', 'acme');
	createApplication(TLS, 'stranger', 'other');
	nodes = await Promise.all(Object.entries(HOSTS).map(([name, ip]) => startNode(name, ip, TLS, OUT)));
	Object.assign(process.env, {
		GAZPACHO_CLUSTER: nodes.map(({ address }) => address).join(','), GAZPACHO_TLS_DIR: TLS, GAZPACHO_PLACEMENT: 'spread',
		GAZPACHO_RUN_DIR: path.join(OUT, 'run'),
	});
	owner = guard(fork(path.join(import.meta.dirname, 'import-owner.js'), { env: { ...process.env, GAZPACHO_NAME: 'owner' } }));
	[originals] = await within('the other application', once(owner, 'message'));
});

after(async () => {
	owner.kill('SIGKILL');
	await Promise.all(nodes.map(killNode));
});

async function createWorker(t, name) {
	process.env.GAZPACHO_NAME = name;
	const created = mediasoup.createWorker({ logLevel: 'warn' }); // has spawned the process
	delete process.env.GAZPACHO_NAME; // which would also choose an operator's certificate
	const worker = await created;
	t.after(() => closeWorker(worker));
	return worker;
}

// tell has the other application do something with what it has.
async function tell(object, method, text) {
	const answer = within('its answer', once(owner, 'message'));
	owner.send({ object, method, text });
	return (await answer)[0];
}

// watch consumes a producer on a transport of its own, on the next node.
async function watch(t, router, producer) {
	const transport = await router.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '0.0.0.0' } });
	const peer = await Peer.open();
	t.after(() => peer.close());
	await transport.connect({ ip: '127.0.0.1', port: peer.port });
	const consumer = await transport.consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
	const [{ ssrc }] = consumer.rtpParameters.encodings;
	return { consumer, packets: () => peer.rtp.filter(packet => packet.ssrc === ssrc), events: counter(consumer, ['producerpause', 'producerresume', 'producerclose']) };
}

async function more(what, { packets }, match = () => true) {
	const before = packets().length;
	await until(what, () => packets().slice(before).filter(match).length > 5);
}

test('an application shows what another one produces', async t => {
	const before = (await tell('router')).dump;
	const worker = await createWorker(t, 'importer');
	const router = await worker.createRouter({ mediaCodecs });
	const streams = {};
	for (const object of ['voice', 'camera', 'screen']) {
		const producer = await importProducer(router, originals[object]);
		streams[object] = { producer, ...await watch(t, router, producer) };
	}
	const { voice, camera, screen } = streams;
	assert.deepEqual([voice, camera, screen].map(({ producer }) => producer.type), ['simple', 'simulcast', 'svc']);
	await more('sound', voice);
	await more('the screen', screen);
	await more('the best encoding', camera, packet => layerOf(packet) === 2);
	assert.equal(camera.packets()[0].payloadType, 120, 'as this application has it');
	await camera.consumer.setPreferredLayers({ spatialLayer: 0 });
	await more('the lowest encoding', camera, packet => layerOf(packet) === 0);
	assert.equal((await camera.producer.getStats()).length, 3);
	const traces = [];
	camera.producer.on('trace', trace => traces.push(trace));
	await camera.producer.enableTraceEvent(['rtp']);
	await until('traces', () => traces.length > 5);
	assert.equal(traces[0].info.rtpPacket.payloadType, camera.producer.rtpParameters.codecs[0].payloadType, 'as the original has it');
	await camera.producer.enableTraceEvent();
	assert.equal((await tell('router')).dump, before, 'the other application sees nothing of it');

	// What the other one does with its producer happens here.
	await tell('camera', 'pause');
	await until('it is paused', () => camera.producer.paused && camera.events.producerpause === 1);
	await tell('camera', 'resume');
	await until('it is resumed', () => !camera.producer.paused && camera.events.producerresume === 1);
	await more('media again', camera);

	// What happens here does not happen there.
	await voice.producer.pause();
	await until('it is paused', () => voice.events.producerpause === 1);
	await voice.producer.resume();
	await more('sound again', voice);
	screen.producer.close();
	await until('it is closed', () => screen.consumer.closed);
	const another = await importProducer(router, originals.screen);
	await more('the screen again', await watch(t, router, another));

	await tell('voice', 'close');
	await until('it is closed', () => voice.producer.closed && voice.events.producerclose === 1);
	router.close();
	await until('nothing is left on the nodes', async () => (await nodeStatus(nodes, TLS)).flatMap(({ fronts }) => fronts)
		.filter(({ application }) => application === 'importer').every(({ load }) => load.Transports + load.Producers + load.Consumers === 0));
	assert.equal((await tell('router')).dump.includes('gazpacho'), false);
});

// listen consumes a data producer over SCTP on the next node.
async function listen(t, router, producer) {
	const transport = await router.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '0.0.0.0' }, comedia: true, enableSctp: true });
	const peer = await NodeSctpPeer.open();
	t.after(() => peer.close());
	peer.connect(transport.tuple.localPort, transport.tuple.localAddress);
	const consumer = await transport.consumeData({ dataProducerId: producer.id });
	await peer.startSctp();
	return { consumer, messages: peer.channel(consumer.sctpStreamParameters.streamId).messages };
}

// listenHere consumes a data producer in this process.
async function listenHere(router, producer, options) {
	const transport = await router.createDirectTransport();
	const consumer = await transport.consumeData({ dataProducerId: producer.id, ...options });
	const messages = [];
	consumer.on('message', message => messages.push(String(message)));
	return { consumer, messages };
}

test('an application hears the messages of another one', async t => {
	const before = (await tell('router')).dump;
	const worker = await createWorker(t, 'importer');
	const router = await worker.createRouter({ mediaCodecs });
	const chat = await importDataProducer(router, originals.chat);
	assert.deepEqual([chat.type, chat.label, chat.protocol, chat.sctpStreamParameters.ordered], ['sctp', 'chat', 'json', true]);
	const listeners = [await listen(t, router, chat), await listen(t, router, chat), await listenHere(router, chat)];
	assert.ok(listeners.every(({ consumer }) => consumer.label === 'chat'));
	const texts = Array.from({ length: 20 }, (_, i) => `message ${i}`);
	for (const text of texts) {
		await tell('chat', 'say', text);
	}
	await until('messages', () => listeners.every(({ messages }) => messages.length === texts.length));
	listeners.forEach(({ messages }) => assert.deepEqual(messages, texts));
	assert.equal((await chat.getStats())[0].messagesReceived, texts.length);
	assert.equal((await tell('router')).dump, before, 'the other application sees nothing of it');

	await tell('chat', 'pause');
	await until('it is paused', () => chat.paused);
	await tell('chat', 'resume');
	await until('it is resumed', () => !chat.paused);
	await tell('chat', 'say', 'again');
	await until('a message again', () => listeners.every(({ messages }) => messages.at(-1) === 'again'));

	const bot = await importDataProducer(router, originals.bot);
	const here = await listenHere(router, bot);
	await until('its message', async () => { // the pipe between its Routers loses what is said before SCTP has connected
		await tell('bot', 'say', 'beep');
		return here.messages.length > 0;
	});
	assert.ok(here.messages.every(message => message === 'beep'));

	await tell('chat', 'close');
	await until('it is closed', () => chat.closed && listeners.every(({ consumer }) => consumer.closed));
	router.close();
	assert.equal(bot.closed, true);
	await until('nothing is left on the nodes', async () => (await nodeStatus(nodes, TLS)).flatMap(({ fronts }) => fronts)
		.filter(({ application }) => application === 'importer').every(({ load }) => load.Transports + load.DataProducers + load.DataConsumers === 0));
	assert.equal((await tell('router')).dump.includes('gazpacho'), false);
});

test('what is not there, or another tenant has, is refused at once', async t => {
	const worker = await createWorker(t, 'stranger');
	const router = await worker.createRouter({ mediaCodecs });
	await assert.rejects(askToImport(worker, router.id, originals.camera), { code: 'PRODUCER_NOT_FOUND' });
	await assert.rejects(askToImport(worker, router.id, 'nothing'), { code: 'PRODUCER_NOT_FOUND' });
	await assert.rejects(askToImport(worker, 'nothing', originals.camera), { code: 'ROUTER_NOT_FOUND' });
	await assert.rejects(importDataProducer(router, originals.bot), { code: 'PRODUCER_NOT_FOUND' });
	await assert.rejects(importDataProducer(router, originals.camera), { code: 'PRODUCER_NOT_FOUND' });
	await assert.rejects(importDataProducer(router, 'nothing'), { code: 'PRODUCER_NOT_FOUND' });
});

test('a worker without a cluster has no socket, one of several engines has nobody to import from', async t => {
	const { GAZPACHO_CLUSTER } = process.env;
	t.after(() => Object.assign(process.env, { GAZPACHO_CLUSTER }));
	delete process.env.GAZPACHO_CLUSTER;
	const alone = await createWorker(t, 'importer');
	await assert.rejects(askToImport(alone, 'router', 'producer'), { code: 'ENOENT' });
	process.env.GAZPACHO_CLUSTER = 'local:2';
	const split = await createWorker(t, 'importer');
	const router = await split.createRouter({ mediaCodecs });
	await assert.rejects(askToImport(split, router.id, 'producer'), { code: 'UNSUPPORTED' });
	await closeWorker(split);
	assert.deepEqual(fs.readdirSync(process.env.GAZPACHO_RUN_DIR).filter(name => name.includes(`.${split.pid}.`)), [], 'its socket is removed');
});
