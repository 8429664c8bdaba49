// A room server's end of EduMeet's media node: requests and notifications over socket.io. A MediaNode's router looks to Participant
// like one of mediasoup, as far as that needs it.
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { until } from '../lib/wait.js';

const REQUEST_MS = 30_000;

export class MediaNode {
	notifications = [];

	// connect connects to a media node. folder is its checkout, which has the client for its protocol.
	static async connect(url, secret, folder) {
		const require = createRequire(path.join(folder, 'node_modules', 'edumeet-common', 'package.json'));
		const self = new MediaNode();
		self.socket = require('socket.io-client').io(url, { query: { secret }, transports: ['websocket'], rejectUnauthorized: false });
		self.socket.on('notification', notification => self.notifications.push(notification));
		await self.hears('mediaNodeReady');
		return self;
	}

	close() {
		this.socket.close();
	}

	// request resolves with the answer's data, and rejects when the media node refuses or does not answer.
	request(method, data) {
		return new Promise((resolve, reject) => {
			this.socket.timeout(REQUEST_MS).emit('request', { method, data }, (late, refused, response) => {
				if (late || refused) {
					reject(new Error(`${method}: ${late?.message ?? JSON.stringify(refused)}`));
				} else {
					resolve(response);
				}
			});
		});
	}

	// hears waits for a notification, which may have come already, and returns its data.
	async hears(method, check = () => true) {
		const found = await until(`the notification ${method}`,
			() => this.notifications.find(notification => notification.method === method && check(notification.data)));
		return found.data;
	}

	async router(roomId) {
		const { id, rtpCapabilities } = await this.request('getRouter', { roomId });
		return new Router(this, { routerId: id }, rtpCapabilities);
	}
}

// Part is something of a router: requests about it carry its ids.
class Part {
	constructor(node, ids) {
		Object.assign(this, { node, ids });
	}

	ask(method, data) {
		return this.node.request(method, { ...this.ids, ...data });
	}
}

class Router extends Part {
	constructor(node, ids, rtpCapabilities) {
		super(node, ids);
		this.rtpCapabilities = rtpCapabilities;
	}

	async createWebRtcTransport({ enableSctp }) {
		const answer = await this.ask('createWebRtcTransport', { enableSctp });
		return Object.assign(new Transport(this.node, { ...this.ids, transportId: answer.id }), answer);
	}

	// createObserver creates an ActiveSpeakerObserver or AudioLevelObserver with a producer in it.
	async createObserver(kind, producer) {
		const { id } = await this.ask(`create${kind}`, { interval: 500 });
		const key = `${kind[0].toLowerCase()}${kind.slice(1)}`;
		await this.ask(`${key}AddProducer`, { [`${key}Id`]: id, producerId: producer.id });
	}
}

class Transport extends Part {
	connect({ dtlsParameters }) {
		return this.ask('connectWebRtcTransport', { dtlsParameters });
	}

	async produce({ kind, rtpParameters }) {
		return this.#part('producerId', await this.ask('produce', { kind, rtpParameters }));
	}

	async produceData(options) {
		return this.#part('dataProducerId', await this.ask('produceData', options));
	}

	async consume({ producerId, rtpCapabilities }) {
		const consumer = this.#part('consumerId', await this.ask('consume', { producerId, rtpCapabilities }));
		consumer.resume = () => consumer.ask('resumeConsumer');
		return consumer;
	}

	async consumeData({ dataProducerId }) {
		return this.#part('dataConsumerId', await this.ask('consumeData', { dataProducerId }));
	}

	#part(idName, answer) {
		const { routerId } = this.ids;
		return Object.assign(new Part(this.node, { routerId, [idName]: answer.id }), answer);
	}
}
