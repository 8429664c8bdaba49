// A room is a Router and the people in it. Everybody gets what everybody else sends.
import { inspect } from 'node:util';

const SPEAKING_DB = -55; // louder than a quiet room
const SPEAKING_MS = 300;
const MOST_SPEAKERS = 4; // shown at once

const MEDIA_CODECS = [
	{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
	{ kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
	{ kind: 'video', mimeType: 'video/VP9', clockRate: 90000, parameters: { 'profile-id': 0 } },
	{
		kind: 'video', mimeType: 'video/H264', clockRate: 90000,
		parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
	},
];

export class Room {
	peers = new Map(); // by id

	static async open(worker) {
		const room = new Room();
		room.router = await worker.createRouter({ mediaCodecs: MEDIA_CODECS });
		await room.#observe();
		return room;
	}

	// #observe: one observer tells who speaks, with levels several times a second; the other one who has the floor, which changes
	// seldom enough to move pictures by it.
	async #observe() {
		this.levels = await this.router.createAudioLevelObserver({ interval: SPEAKING_MS, threshold: SPEAKING_DB, maxEntries: MOST_SPEAKERS });
		this.floor = await this.router.createActiveSpeakerObserver({ interval: SPEAKING_MS });
		const speaking = volumes => volumes.map(({ producer, volume }) => ({ peerId: producer.appData.peerId, volume }));
		this.levels.on('volumes', volumes => this.tell('speaking', { peers: speaking(volumes) }));
		this.levels.on('silence', () => this.tell('speaking', { peers: [] }));
		this.floor.on('dominantspeaker', ({ producer }) => this.tell('dominant', { peerId: producer.appData.peerId }));
	}

	others(peer) {
		return [...this.peers.values()].filter(other => other !== peer);
	}

	tell(event, data, except) {
		this.others(except).forEach(peer => peer.notify(event, data));
	}

	add(peer) {
		this.tell('peerJoined', peer.describe());
		this.peers.set(peer.id, peer);
	}

	remove(peer) {
		if (this.peers.delete(peer.id)) {
			this.tell('peerLeft', { id: peer.id });
		}
		peer.close();
	}

	// published gives a new producer to those who receive already; deliverAll gives somebody who begins to receive all producers
	// that are there. Both choose whom it concerns before they wait for anything, so that nobody gets a producer twice or not at all.
	async published(peer, producer) {
		producer.appData.peerId = peer.id;
		const receivers = this.#receivers(peer);
		if (producer.kind === 'audio') {
			const { id: producerId } = producer;
			await Promise.all([this.levels.addProducer({ producerId }), this.floor.addProducer({ producerId })]);
		}
		await Promise.all(receivers.map(other => give(other, peer, () => other.consume(peer, producer))));
	}

	async publishedChat(peer) {
		await Promise.all(this.#receivers(peer).map(other => give(other, peer, () => other.consumeChat(peer))));
	}

	async deliverAll(peer) {
		await Promise.all(this.others(peer).flatMap(other => [
			...[...other.producers.values()].map(producer => give(peer, other, () => peer.consume(other, producer))),
			...(other.chat ? [give(peer, other, () => peer.consumeChat(other))] : []),
		]));
	}

	#receivers(peer) {
		return this.others(peer).filter(({ rtpCapabilities }) => rtpCapabilities);
	}

	close() {
		this.router.close();
	}
}

// give: that somebody cannot be given a stream is no failure of the one whose request this is, and none at all if one of the two
// left meanwhile.
async function give(to, from, action) {
	try {
		await action();
	} catch (error) {
		if (!to.closed && !from.closed) {
			console.error(`${to.id} cannot be given a stream of ${from.id}:`, inspect(error.message));
		}
	}
}
