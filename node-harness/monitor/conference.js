// A conference of an ordinary mediasoup application over three nodes, for the monitor to look at. People are plain transports: each sends
// sound and a camera with three encodings, hears everybody, and sees some. One of them loses packets.
import * as dgram from 'node:dgram';
import * as mediasoup from 'mediasoup';
import { killNode, nodeStatus, startNode } from '../lib/nodes.js';
import { compactNtp, ntpNow, parseRtcp, PSFB_FIR, PSFB_PLI, receiverReport, senderReport, TYPE } from '../lib/rtcp.js';
import { buildRtp, isRtcp } from '../lib/rtp.js';
import { until, within } from '../lib/wait.js';

const HOSTS = { a: '127.0.1.1', b: '127.0.1.2', c: '127.0.1.3' };
const OPUS = { mimeType: 'audio/opus', clockRate: 48000, channels: 2 };
const VP8 = { mimeType: 'video/VP8', clockRate: 90000 };
export const MEDIA_CODECS = [{ kind: 'audio', ...OPUS }, { kind: 'video', ...VP8 }];
const LISTEN = { listenInfo: { protocol: 'udp', ip: '0.0.0.0' }, rtcpMux: true, comedia: false };
const [AUDIO_TYPE, VIDEO_TYPE] = [100, 101];
const [AUDIO_SSRC, VIDEO_SSRC] = [900, 1000];
const AUDIO_MS = 20;
const FRAME_MS = 100;
const PACKETS = [1, 3, 8]; // of a frame of each encoding
const PACKET_BYTES = 1100;
const SEES = 3; // how many others each one sees
const LOST = 26; // of 256, by the one with a bad network

// withoutEstimation returns the capabilities of somebody who sends no feedback about the bandwidth.
const withoutEstimation = ({ codecs, ...rest }) => ({
	...rest, codecs: codecs.map(codec => ({ ...codec, rtcpFeedback: codec.rtcpFeedback.filter(({ type }) => ['nack', 'ccm'].includes(type)) })),
});

export class Person {
	seq = new Map();
	wanted = new Set();
	heard = new Map(); // packets by the name of the speaker
	speakers = new Map(); // by SSRC

	static async join(name, router, { lossy = false } = {}) {
		const person = new Person();
		Object.assign(person, { name, router, lossy, consumers: [] });
		person.socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
		await new Promise(resolve => person.socket.bind(0, '127.0.0.1', resolve));
		person.transport = await router.createPlainTransport(LISTEN);
		await person.transport.connect({ ip: '127.0.0.1', port: person.socket.address().port });
		person.socket.on('message', packet => (isRtcp(packet) ? person.#handleRtcp(packet) : person.#hear(packet)));
		person.microphone = await person.transport.produce({
			kind: 'audio',
			rtpParameters: { codecs: [{ ...OPUS, payloadType: AUDIO_TYPE }], encodings: [{ ssrc: AUDIO_SSRC }], rtcp: { cname: name } },
		});
		person.camera = await person.transport.produce({
			kind: 'video',
			rtpParameters: {
				codecs: [{ ...VP8, payloadType: VIDEO_TYPE, rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }] }],
				encodings: PACKETS.map((_, i) => ({ ssrc: VIDEO_SSRC + i })), rtcp: { cname: name },
			},
		});
		person.start();
		return person;
	}

	start() {
		this.timers = [setInterval(() => this.#speak(), AUDIO_MS), setInterval(() => this.#show(), FRAME_MS)];
	}

	// stop falls silent.
	stop() {
		this.timers.forEach(clearInterval);
	}

	async consume(other, producer) {
		const consumer = await this.transport.consume({ producerId: producer.id, rtpCapabilities: withoutEstimation(this.router.rtpCapabilities) });
		this.consumers.push(consumer);
		if (producer.kind === 'audio') {
			this.speakers.set(consumer.rtpParameters.encodings[0].ssrc, other);
		}
		return consumer;
	}

	#send(packet) {
		const { localAddress, localPort } = this.transport.tuple;
		this.socket.send(packet, localPort, localAddress, () => {}); // a node that is gone refuses it
	}

	#next(ssrc) {
		const seq = this.seq.get(ssrc) ?? 0;
		this.seq.set(ssrc, seq + 1);
		return seq;
	}

	#speak() {
		const seq = this.#next(AUDIO_SSRC);
		const timestamp = (seq * AUDIO_MS * 48) >>> 0;
		this.#send(buildRtp({ payloadType: AUDIO_TYPE, ssrc: AUDIO_SSRC, sequenceNumber: seq & 0xffff, timestamp, payload: Buffer.alloc(80) }));
		if (seq % 100 === 0) {
			this.#send(senderReport({ ssrc: AUDIO_SSRC, ntp: ntpNow(), timestamp, packetCount: seq }));
		}
	}

	#show() {
		const frame = this.#next('frame');
		const timestamp = (frame * FRAME_MS * 90) >>> 0;
		PACKETS.forEach((count, i) => {
			const ssrc = VIDEO_SSRC + i;
			for (let n = 0; n < count; n++) {
				const payload = Buffer.alloc(PACKET_BYTES);
				payload[0] = n === 0 ? 0x10 : 0; // S: a partition begins (RFC 7741 section 4.2)
				payload[1] = n === 0 && (frame === 0 || this.wanted.delete(ssrc)) ? 0 : 1; // a key frame, or not
				this.#send(buildRtp({
					payloadType: VIDEO_TYPE, ssrc, sequenceNumber: this.#next(ssrc) & 0xffff, timestamp, marker: n === count - 1, payload,
				}));
			}
			if (frame % 10 === 0) {
				this.#send(senderReport({ ssrc, ntp: ntpNow(), timestamp, packetCount: frame * count }));
			}
		});
	}

	#hear(packet) {
		const speaker = this.speakers.get(packet.readUInt32BE(8));
		if (speaker) {
			this.heard.set(speaker, (this.heard.get(speaker) ?? 0) + 1);
		}
	}

	#handleRtcp(packet) {
		for (const { type, count, ssrc, mediaSsrc, ntp } of parseRtcp(packet)) {
			if (type === TYPE.SR) {
				const fractionLost = this.lossy ? LOST : 0;
				this.#send(receiverReport({ ssrc: 1, mediaSsrc: ssrc, fractionLost, packetsLost: fractionLost, lastSenderReport: compactNtp(ntp) }));
			} else if (type === TYPE.PSFB && (count === PSFB_PLI || count === PSFB_FIR)) {
				this.wanted.add(mediaSsrc);
			}
		}
	}

	leave() {
		this.stop();
		this.socket.close();
	}
}

export class Conference {
	people = [];

	// open starts three nodes and an application whose room has people of the given names; the last one loses packets.
	static async open({ tls, folder, names }) {
		const conference = new Conference();
		conference.tls = tls;
		conference.nodes = await Promise.all(Object.entries(HOSTS).map(([name, ip]) => startNode(name, ip, tls, folder)));
		process.env.GAZPACHO_CLUSTER = conference.nodes.map(({ address }) => address).join(',');
		process.env.GAZPACHO_TLS_DIR = tls;
		process.env.GAZPACHO_PLACEMENT = 'spread';
		conference.worker = await mediasoup.createWorker();
		await until('the nodes serve the application', async () =>
			(await nodeStatus(conference.nodes, tls)).every(({ fronts }) => fronts.some(({ connected }) => connected)));
		conference.router = await conference.worker.createRouter({ mediaCodecs: MEDIA_CODECS });
		for (const name of names) {
			conference.people.push(await Person.join(name, conference.router, { lossy: name === names.at(-1) }));
		}
		await conference.#meet();
		return conference;
	}

	async #meet() {
		const { people } = this;
		for (const [i, person] of people.entries()) {
			for (let n = 1; n < people.length; n++) {
				const other = people[(i + n) % people.length];
				await person.consume(other.name, other.microphone);
				if (n <= SEES) {
					await person.consume(other.name, other.camera);
				}
			}
		}
		await until('all hear all', () => people.every(person => people.every(({ name }) => name === person.name || person.heard.get(name) > 0)));
	}

	nodeOf(person) {
		return this.nodes.find(({ ip }) => ip === person.transport.tuple.localAddress);
	}

	kill(node) {
		return killNode(node);
	}

	async close() {
		this.people.forEach(person => person.leave());
		const ended = new Promise(resolve => this.worker.once('subprocessclose', resolve));
		this.worker.close();
		await within('the worker has ended', ended);
		this.nodes.forEach(({ child }) => child.kill('SIGKILL'));
	}
}
