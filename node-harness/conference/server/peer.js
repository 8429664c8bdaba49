// One person in a room: a transport for what the page sends, one for what it receives, and all that goes over them.
import { randomUUID } from 'node:crypto';
import { BadRequest } from './check.js';
import { whereabouts } from './nodes.js';

// What a page sends, and of which kind each is. A page has at most one producer of each.
export const SOURCES = { microphone: 'audio', camera: 'video', screen: 'video' };

const INITIAL_BITRATE = 1_000_000; // what the page is taken to bear until there is an estimate
const MAX_INCOMING_BITRATE = 8_000_000; // camera, screen and microphone together; a page that sends more is told so
const CHAT_BYTES = 8192; // of one message

export class Peer {
	id = randomUUID();
	producers = new Map(); // by source
	consumers = new Map(); // by id
	chat = undefined; // the data producer
	rtpCapabilities = undefined; // once the page can receive
	closed = false;

	// notify(event, data) tells the page, hangUp() ends its connection. tab is the page's own secret: with it, a page that lost its
	// connection takes the place of what it was, rather than stand beside it until the server notices.
	constructor({ name, tab, room, notify, hangUp }) {
		Object.assign(this, { name, tab, room, notify, hangUp });
	}

	// open makes the transports, one after the other: if the second one cannot be made, close knows the first. The page connects
	// them when it first needs them.
	async open(webRtcServer) {
		this.send = await this.#createTransport(webRtcServer);
		this.recv = await this.#createTransport(webRtcServer);
		await this.send.setMaxIncomingBitrate(MAX_INCOMING_BITRATE);
	}

	async #createTransport(webRtcServer) {
		const transport = await this.room.router.createWebRtcTransport({
			webRtcServer, enableUdp: true, enableTcp: true, preferUdp: true, enableSctp: true, maxSctpMessageSize: CHAT_BYTES,
			initialAvailableOutgoingBitrate: INITIAL_BITRATE,
		});
		// The browser is gone, or the node that had the transport. A page that is still there joins anew.
		const lost = () => this.closed || this.notify('transportLost', {});
		transport.on('dtlsstatechange', state => ['failed', 'closed'].includes(state) && lost());
		transport.on('icestatechange', state => state === 'disconnected' && lost());
		return transport;
	}

	get where() {
		return { send: whereabouts(this.send), recv: whereabouts(this.recv) };
	}

	describe() {
		return { id: this.id, name: this.name, where: this.where };
	}

	// connect passes the page's half of the DTLS handshake on.
	connect(direction, dtlsParameters) {
		return this[direction].connect({ dtlsParameters });
	}

	async produce({ source, rtpParameters }) {
		if (this.producers.has(source)) {
			throw new BadRequest(`you already send your ${source}`);
		}
		const kind = SOURCES[source];
		if (!isOfKind(kind, rtpParameters)) {
			throw new BadRequest(`your ${source} must be ${kind}`);
		}
		const producer = await this.send.produce({ kind, rtpParameters, appData: { source } });
		this.producers.set(source, producer);
		producer.observer.once('close', () => this.producers.delete(source));
		await this.room.published(this, producer);
		return { id: producer.id };
	}

	async produceData({ sctpStreamParameters }) {
		if (this.chat) {
			throw new BadRequest('you already have a chat');
		}
		this.chat = await this.send.produceData({ sctpStreamParameters, label: 'chat' });
		await this.room.publishedChat(this);
		return { id: this.chat.id };
	}

	// receive is called once, when the page is ready: from then on it gets what the others send.
	async receive(rtpCapabilities) {
		if (this.rtpCapabilities) {
			throw new BadRequest('you already receive');
		}
		this.rtpCapabilities = rtpCapabilities;
		await this.room.deliverAll(this);
	}

	// consume has the page get another one's producer. The consumer is paused until the page has its end of it: the first packets
	// of a picture are those of a key frame, which is lost if they come too early.
	async consume(other, producer) {
		const { rtpCapabilities } = this;
		if (!this.room.router.canConsume({ producerId: producer.id, rtpCapabilities })) {
			return; // a browser without that codec
		}
		const consumer = await this.recv.consume({ producerId: producer.id, rtpCapabilities, paused: true, appData: { peerId: other.id } });
		const { id, kind, rtpParameters, producerPaused } = consumer;
		this.consumers.set(id, consumer);
		consumer.observer.once('close', () => this.consumers.delete(id));
		consumer.on('producerclose', () => this.notify('consumerClosed', { id }));
		consumer.on('producerpause', () => this.notify('consumerPaused', { id }));
		consumer.on('producerresume', () => this.notify('consumerResumed', { id }));
		consumer.on('layerschange', layers => this.notify('consumerLayers', { id, layers: layers ?? null }));
		consumer.on('score', ({ score }) => this.notify('consumerScore', { id, score }));
		this.notify('consumer', {
			id, kind, rtpParameters, producerId: producer.id, paused: producerPaused, peerId: other.id, source: producer.appData.source,
		});
	}

	async consumeChat(other) {
		const { id, sctpStreamParameters, label, protocol, dataProducerId } = await this.recv.consumeData({ dataProducerId: other.chat.id });
		this.notify('dataConsumer', { id, sctpStreamParameters, label, protocol, dataProducerId, peerId: other.id });
	}

	producer(source) {
		return found(this.producers.get(source), `you do not send your ${source}`);
	}

	consumer(id) {
		return found(this.consumers.get(id), 'there is no such consumer (any more)');
	}

	// close closes the transports; with them go producers and consumers, and the others are told by their own consumers.
	close() {
		this.closed = true;
		this.send?.close();
		this.recv?.close();
	}
}

// isOfKind: mediasoup takes any codec that the Router has, whatever kind it is called.
function isOfKind(kind, { codecs }) {
	return Array.isArray(codecs) && codecs.every(codec => String(codec?.mimeType).toLowerCase().startsWith(`${kind}/`));
}

function found(object, message) {
	if (!object) {
		throw new BadRequest(message);
	}
	return object;
}
