// The people of a room, as the application sees them: a transport each, what is on it, and whoever is at its other end.
import { VOICE, MEDIA, Picture, Voice } from '../lib/media.js';
import { generateKeyBase64, SrtpSession } from '../lib/srtp.js';
import { Port } from '../faults/person.js';
import { remoteOf } from './crowd.js';

const DATA_STREAM = 100; // by which people of the crowd write
const CONSENT_S = 5; // after which somebody who has vanished is missed
const LONG_CONSENT_S = 60; // for those who stay, on a machine that is busy
const SUITES = ['AEAD_AES_256_GCM', 'AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'];
const FEEDBACK = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'ccm', parameter: 'fir' }];

// What somebody with a browser can send: for each the parameters, from the SSRCs of the person's streams, and the numbers of these.
const BROWSER_MEDIA = {
	voice: {
		streams: [0],
		options: ssrcs => ({
			kind: 'audio',
			rtpParameters: {
				codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }], encodings: [{ ssrc: ssrcs[0] }],
			},
		}),
	},
	camera: {
		streams: [1, 2, 3],
		options: ssrcs => ({
			kind: 'video',
			rtpParameters: {
				codecs: [{ mimeType: 'video/VP8', payloadType: 96, clockRate: 90000, rtcpFeedback: FEEDBACK }],
				encodings: [1, 2, 3].map(i => ({ ssrc: ssrcs[i] })),
			},
		}),
	},
	screen: {
		streams: [4],
		options: ssrcs => ({
			kind: 'video',
			rtpParameters: {
				codecs: [{ mimeType: 'video/VP9', payloadType: 98, clockRate: 90000, rtcpFeedback: FEEDBACK }],
				encodings: [{ ssrc: ssrcs[4], scalabilityMode: 'L3T1' }],
			},
		}),
	},
};

// Person is what all have in common.
class Person {
	producers = new Map(); // by what is produced
	consumers = [];
	dataConsumers = [];

	constructor(town, router) {
		Object.assign(this, { town, router });
	}

	// take takes a transport over. Whoever closes it, the person is gone then.
	take(transport) {
		this.transport = transport;
		transport.observer.once('close', () => this.end());
		return transport;
	}

	get here() {
		return this.transport !== undefined && !this.transport.closed;
	}

	// unsaid is what the person can produce and does not.
	get unsaid() {
		return this.says.filter(what => !this.producers.has(what));
	}

	async produce(what, options) {
		const producer = await this.transport.produce(options);
		this.producers.set(what, producer);
		producer.observer.once('close', () => this.producers.delete(what));
		return producer;
	}

	async consume(producer, options) {
		const consumer = await this.transport.consume({ producerId: producer.id, rtpCapabilities: this.router.rtpCapabilities, ...options });
		keep(this.consumers, consumer);
		return consumer;
	}

	async consumeData(dataProducer) {
		keep(this.dataConsumers, await this.transport.consumeData({ dataProducerId: dataProducer.id }));
	}

	get data() {
		return false; // whether the transport has SCTP
	}

	end() {}
}

// keep has a list hold an object until that is closed.
export function keep(list, object) {
	list.push(object);
	object.observer.once('close', () => list.splice(list.indexOf(object), 1));
	return object;
}

// Browser is somebody of the crowd. habits are theirs; shared says whether the transport has the port of the WebRtcServer.
class Browser extends Person {
	says = Object.keys(BROWSER_MEDIA);

	async come({ shared, stays, ...habits }) {
		const { town, router } = this;
		Object.assign(this, { habits, stays });
		const where = shared ? { webRtcServer: town.server } : { listenInfos: town.ports };
		const transport = this.take(await router.createWebRtcTransport({
			...where, enableUdp: true, enableTcp: true, enableSctp: true, iceConsentTimeout: stays ? LONG_CONSENT_S : CONSENT_S, initialAvailableOutgoingBitrate: 300_000,
		}));
		transport.on('icestatechange', state => state === 'disconnected' && transport.close());
		transport.on('dtlsstatechange', state => (state === 'failed' || state === 'closed') && transport.close());
		this.number = town.nextPerson();
		this.coming = town.crowd.ask({ do: 'come', person: this.number, remote: remoteOf(transport, habits.tcp), habits });
		const { fingerprint, ssrcs } = await this.coming;
		this.ssrcs = ssrcs;
		const role = habits.server ? 'server' : 'client';
		await transport.connect({ dtlsParameters: { role, fingerprints: [{ algorithm: 'sha-256', value: fingerprint }] } });
	}

	get data() {
		return this.here;
	}

	async say(what) {
		const { streams, options } = BROWSER_MEDIA[what];
		const producer = await this.produce(what, options(this.ssrcs));
		this.tell(...streams.map(stream => ({ do: 'speak', stream })));
		producer.observer.once('close', () => this.tell(...streams.map(stream => ({ do: 'hush', stream }))));
		return producer;
	}

	write() {
		return this.transport.produceData({ sctpStreamParameters: { streamId: DATA_STREAM, ordered: true } });
	}

	async restart() {
		const iceParameters = await this.transport.restartIce();
		const { iceCandidates, dtlsParameters } = this.transport;
		await this.town.crowd.ask({ do: 'restart', person: this.number, remote: remoteOf({ iceParameters, iceCandidates, dtlsParameters }, this.habits.tcp) });
	}

	// vanish has the person go without a word; what is in the worker stays until consent is missed.
	vanish() {
		this.tell({ do: 'vanish' });
		this.gone = true;
	}

	// tell asks for what needs no answer; who is gone meanwhile does not do it.
	tell(...requests) {
		if (!this.gone) {
			requests.forEach(request => this.town.crowd.ask({ person: this.number, ...request }).catch(() => {}));
		}
	}

	end() {
		this.coming?.then(() => {
			this.tell({ do: 'leave' });
			this.gone = true;
		}, () => {});
	}
}

// Plain is somebody with RTP on a port. comedia says whether the transport learns the address from what comes, suite of SRTP may be
// undefined.
class Plain extends Person {
	says = ['voice', 'camera', 'screen'];
	#senders = [];

	async come({ comedia, suite, stays }) {
		this.stays = stays;
		this.port = await Port.open('127.0.0.1');
		const transport = await this.router.createPlainTransport({
			listenInfo: this.town.ports[0], rtcpMux: true, comedia, enableSrtp: Boolean(suite), srtpCryptoSuite: suite,
		}).catch(error => {
			this.end();
			throw error;
		});
		this.take(transport);
		this.port.target = { ip: transport.tuple.localAddress, port: transport.tuple.localPort };
		const to = comedia ? {} : { ip: '127.0.0.1', port: this.port.number };
		if (suite) {
			const key = generateKeyBase64(suite);
			protect(this.port, new SrtpSession(suite, key));
			to.srtpParameters = { cryptoSuite: suite, keyBase64: key };
			this.says = ['voice'];
		}
		if (!comedia || suite) {
			await transport.connect(to);
		}
	}

	async say(what) {
		const { options } = what === 'voice' ? { options: VOICE } : MEDIA.find(({ object }) => object === what);
		const producer = await this.produce(what, options);
		if (!this.here) {
			return producer;
		}
		const kind = what === 'voice' ? Voice : Picture;
		if (!this.#senders.some(sender => sender instanceof kind)) {
			this.#senders.push(new kind().start(this.port));
		}
		return producer;
	}

	end() {
		this.#senders.forEach(sender => sender.stop());
		this.#senders = [];
		if (!this.closed) {
			this.closed = true;
			this.port.socket.close();
		}
	}
}

// protect has a port send SRTP.
function protect(port, session) {
	const send = port.sendRaw.bind(port);
	port.sendRaw = packet => send(session.protectRtp(packet));
}

// Machine is the application itself, by a DirectTransport: a recorder, or a bot that speaks and writes.
class Machine extends Person {
	says = ['voice'];

	async come({ stays }) {
		this.stays = stays;
		this.take(await this.router.createDirectTransport());
	}

	async say(what) {
		const producer = await this.produce(what, VOICE);
		producer.send(Buffer.from([0x80, 100, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]));
		return producer;
	}

	async consume(producer, options) {
		const consumer = await super.consume(producer, options);
		consumer.on('rtp', () => this.town.recorded++);
		return consumer;
	}

	write() {
		return this.transport.produceData();
	}

	get data() {
		return this.here;
	}
}

// KINDS are the ways in which people come, with weights.
const KINDS = { browser: 5, lossy: 2, tcp: 1, server: 1, plain: 2, keyed: 2, machine: 1 };

// newcomer returns a person of a random kind, and with which words they come.
export function newcomer(town, router) {
	const { chance } = town;
	const habits = { seed: chance.below(2 ** 31), shared: chance.happens(0.6) };
	switch (chance.weighted(KINDS)) {
		case 'lossy':
			return [new Browser(town, router), { ...habits, loss: 0.1 }];
		case 'tcp':
			return [new Browser(town, router), { ...habits, tcp: true }];
		case 'server':
			return [new Browser(town, router), { ...habits, server: true }];
		case 'plain':
			return [new Plain(town, router), { comedia: chance.happens(0.5) }];
		case 'keyed':
			return [new Plain(town, router), { comedia: chance.happens(0.5), suite: chance.of(SUITES) }];
		case 'machine':
			return [new Machine(town, router), {}];
		default:
			return [new Browser(town, router), habits];
	}
}

// residents are the people who stay: one for each kind of transport, and how they come.
export function residents(town, router) {
	const stays = true;
	return [
		[new Browser(town, router), { stays, seed: town.chance.below(2 ** 31) }],
		[new Plain(town, router), { stays, suite: 'AES_CM_128_HMAC_SHA1_80' }],
		[new Machine(town, router), { stays }],
	];
}
