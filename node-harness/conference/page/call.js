// One stay in a room, from joining until the connection is lost or the person leaves: mediasoup-client's device and transports, what
// is sent, and what is received. It knows nothing of what the page shows; emit(event, data) tells that.
import { Device } from 'mediasoup-client';
import { Signal } from './signal.js';

const MAX_CHAT_CHARACTERS = 2000;

// A camera is sent in up to three sizes (simulcast), each in three frame rates (temporal layers): the server picks for each receiver.
// Chromium sends three of pictures from 960 pixels of width on, two from 480 on; one that is too many would cost the largest.
const MAX_BITRATES = [150_000, 500_000, 1_700_000];
const cameraEncodings = width => {
	const count = width >= 960 ? 3 : width >= 480 ? 2 : 1;
	return MAX_BITRATES.slice(0, count).map((maxBitrate, i) => (
		{ rid: `r${i}`, scaleResolutionDownBy: 2 ** (count - 1 - i), maxBitrate, scalabilityMode: 'L1T3' }));
};

const sending = {
	microphone: () => ({ codecOptions: { opusDtx: true, opusFec: true } }),
	camera: ({ width }) => ({ encodings: cameraEncodings(width), codecOptions: { videoGoogleStartBitrate: 800 } }),
	screen: () => ({ encodings: [{ maxBitrate: 2_500_000, scalabilityMode: 'L1T3' }], codecOptions: { videoGoogleStartBitrate: 1000 } }),
};

export class Call {
	peers = new Map(); // the others, by id: { id, name, where }
	streams = new Map(); // what comes from them, by the consumer's id: { id, peerId, source, paused, layers, score, consumer }
	producers = new Map(); // by source
	over = false;
	#signal;
	#chat;
	#emit;

	constructor(emit) {
		this.#emit = emit;
	}

	// join resolves when others can be heard and seen. It rejects with an error that has refused if there is no use in trying again.
	async join({ room, name, tab }) {
		try {
			this.#signal = await Signal.open({
				onNotification: (event, data) => this.#handle(event, data),
				onClose: () => this.end(),
			});
			await this.#enter(await this.request('join', { room, name, tab }));
		} catch (error) {
			this.leave();
			throw error;
		}
	}

	async #enter({ id, name, where, routerRtpCapabilities, transports, peers }) {
		this.self = { id, name, where };
		peers.forEach(peer => this.peers.set(peer.id, peer));
		this.#emit('joined');
		this.device = await Device.factory();
		await this.device.load({ routerRtpCapabilities });
		this.send = this.#wire('send', this.device.createSendTransport(transports.send));
		this.recv = this.#wire('recv', this.device.createRecvTransport(transports.recv));
		await this.request('receive', { rtpCapabilities: this.device.recvRtpCapabilities });
		this.#chat = await this.send.produceData({ label: 'chat' });
	}

	#wire(direction, transport) {
		const answer = (promise, done, fail) => promise.then(done, fail);
		transport.on('connect', ({ dtlsParameters }, done, fail) => answer(this.request('connect', { direction, dtlsParameters }), done, fail));
		transport.on('produce', ({ rtpParameters, appData: { source } }, done, fail) => (
			answer(this.request('produce', { source, rtpParameters }), done, fail)));
		transport.on('producedata', ({ sctpStreamParameters }, done, fail) => (
			answer(this.request('produceData', { sctpStreamParameters }), done, fail)));
		transport.on('connectionstatechange', state => state === 'failed' && this.end());
		return transport;
	}

	request(method, data) {
		return this.#signal.request(method, data);
	}

	#handle(event, data) {
		const stream = this.streams.get(data.id);
		const change = changes => stream && this.#emit('streamChanged', Object.assign(stream, changes));
		switch (event) {
			case 'peerJoined':
				this.peers.set(data.id, data);
				break;
			case 'peerLeft':
				this.peers.delete(data.id);
				break;
			case 'consumer':
				// A stream that this browser cannot take is left out. If more is wrong, the connection's state tells.
				this.#consume(data).catch(() => this.#remove(this.streams.get(data.id)));
				return;
			case 'dataConsumer':
				this.#listen(data).catch(() => {});
				return;
			case 'consumerClosed':
				this.#remove(stream);
				return;
			case 'consumerPaused':
				change({ paused: true });
				return;
			case 'consumerResumed':
				change({ paused: false });
				return;
			case 'consumerLayers':
				change({ layers: data.layers });
				return;
			case 'consumerScore':
				change({ score: data.score });
				return;
			case 'transportLost':
				this.end();
				return;
		}
		this.#emit(event, data);
	}

	// #consume keeps what the server says of the stream while the browser is still getting ready for it.
	async #consume({ id, peerId, source, paused, producerId, kind, rtpParameters }) {
		const stream = { id, peerId, source, paused };
		this.streams.set(id, stream);
		// Tracks of one stream are played in sync.
		const streamId = `${peerId}-${source === 'screen' ? 'screen' : 'person'}`;
		stream.consumer = await this.recv.consume({ id, producerId, kind, rtpParameters, streamId });
		if (!this.streams.has(id)) {
			stream.consumer.close();
			return;
		}
		this.#emit('stream', stream);
		await this.request('resumeConsumer', { id }).catch(error => {
			if (!error.refused) { // refused: the sender stopped meanwhile
				throw error;
			}
		});
	}

	#remove(stream) {
		if (stream) {
			this.streams.delete(stream.id);
			stream.consumer?.close();
			this.#emit('streamEnded', stream);
		}
	}

	async #listen({ peerId, ...options }) {
		const consumer = await this.recv.consumeData(options);
		consumer.on('message', text => {
			const peer = this.peers.get(peerId);
			if (peer && typeof text === 'string') {
				this.#emit('chat', { name: peer.name, text: text.slice(0, MAX_CHAT_CHARACTERS) });
			}
		});
	}

	// say writes to everybody, as soon as the data channel is open.
	say(text) {
		const send = () => this.#chat.send(text.slice(0, MAX_CHAT_CHARACTERS));
		if (this.#chat.readyState === 'open') {
			send();
		} else {
			this.#chat.once('open', send);
		}
	}

	// publish sends a track. Who stops the track is the one who started it.
	async publish(source, track) {
		const producer = await this.send.produce({ ...sending[source](track.getSettings()), track, stopTracks: false, appData: { source } });
		this.producers.set(source, producer);
		return producer;
	}

	async unpublish(source) {
		const producer = this.producers.get(source);
		if (producer) {
			this.producers.delete(source);
			producer.close();
			await this.request('closeProducer', { source });
		}
	}

	// setMuted pauses at both ends: the page sends nothing, and the server tells the others.
	async setMuted(source, muted) {
		const producer = this.producers.get(source);
		if (muted) {
			producer.pause();
		} else {
			producer.resume();
		}
		await this.request(muted ? 'pauseProducer' : 'resumeProducer', { source });
	}

	// end gives up what is left of a call that broke, and says so once.
	end() {
		if (!this.over) {
			this.leave();
			this.#emit('ended');
		}
	}

	leave() {
		this.over = true;
		this.#signal?.close();
		this.send?.close();
		this.recv?.close();
	}
}
