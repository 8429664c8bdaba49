// Two routers with something between them, and a camera to look through them.
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { isRtcp, buildRtp, vp8 } from './rtp.js';
import { ntpNow, senderReport, TYPE } from './rtcp.js';
import { MID_URI } from './fixture.js';

export const RID_URI = 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id';
const FRAME_MS = 20;
const MID_ID = 10;
const RID_ID = 11;
const PAYLOAD_TYPE = 112;

// PIPES are the ways in which applications connect two routers.
export const PIPES = {
	'in clear': {},
	'with SRTP': { enableSrtp: true },
	'with SRTP and RTX': { enableSrtp: true, enableRtx: true },
	'with RTX': { enableRtx: true },
};

// simulcastProducer sends three encodings, told by SSRC or by RID.
export function simulcastProducer({ byRid = false } = {}) {
	const codecs = [{
		mimeType: 'video/VP8', payloadType: PAYLOAD_TYPE, clockRate: 90000,
		rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'ccm', parameter: 'fir' }],
	}];
	return {
		kind: 'video',
		rtpParameters: {
			mid: 'CAM', codecs,
			headerExtensions: [{ uri: MID_URI, id: MID_ID }, { uri: RID_URI, id: RID_ID }],
			encodings: [0, 1, 2].map(layer => (byRid ? { rid: `r${layer}` } : { ssrc: 1000 + layer })),
			rtcp: { cname: 'camera' },
		},
	};
}

// Camera sends three VP8 encodings from a peer until it is stopped: a frame of each every 20 ms, sender reports, and key
// frames where the worker asks for them. The text of each frame says which encoding it is of.
export class Camera {
	sent = [0, 0, 0];
	keyFramesAsked = [0, 0, 0];
	#wanted = [true, true, true];
	#timer;

	constructor(peer, { byRid = false } = {}) {
		this.peer = peer;
		this.byRid = byRid;
	}

	start() {
		this.#timer = setInterval(() => this.#frame(), FRAME_MS);
		return this;
	}

	stop() {
		clearInterval(this.#timer);
	}

	#frame() {
		this.#hear();
		for (const layer of [0, 1, 2]) {
			const count = this.sent[layer]++;
			const keyFrame = this.#wanted[layer];
			this.#wanted[layer] = false;
			const timestamp = count * FRAME_MS * 90;
			const extensions = this.byRid
				? [{ id: MID_ID, value: Buffer.from('CAM') }, { id: RID_ID, value: Buffer.from(`r${layer}`) }]
				: [];
			void this.peer.sendRaw(buildRtp({
				payloadType: PAYLOAD_TYPE, ssrc: 1000 + layer, sequenceNumber: count & 0xffff, timestamp, marker: true, extensions,
				payload: vp8({ keyFrame, text: `layer ${layer} frame ${count}` }),
			}));
			if (count % 5 === 0) {
				void this.peer.sendRaw(senderReport({ ssrc: 1000 + layer, ntp: ntpNow(), timestamp, packetCount: count }));
			}
		}
	}

	// #hear notes which key frames the worker asked for since it was last called.
	#hear() {
		for (const { type, count, mediaSsrc } of this.peer.rtcp.splice(0)) {
			const layer = mediaSsrc - 1000;
			if (type === TYPE.PSFB && (count === 1 || count === 4) && layer in this.#wanted) {
				this.#wanted[layer] = true;
				this.keyFramesAsked[layer]++;
			}
		}
	}
}

// layerOf returns the encoding that a received packet is of.
export const layerOf = packet => Number(/layer (\d)/.exec(packet.payload.toString('latin1'))?.[1]);

// Relay stands between two transports and loses what lose(packet, direction) says; direction is 'there' or 'back'.
export class Relay {
	packets = { there: [], back: [] };
	lose = () => false;

	static async open() {
		const relay = new Relay();
		relay.sockets = await Promise.all(['there', 'back'].map(async () => {
			const socket = dgram.createSocket('udp4');
			socket.bind(0, '127.0.0.1');
			await once(socket, 'listening');
			return socket;
		}));
		return relay;
	}

	// join connects two pipe transports through the relay.
	async join(near, far) {
		const ends = [near, far];
		this.sockets.forEach((socket, i) => {
			const direction = i === 0 ? 'there' : 'back';
			socket.on('message', packet => {
				this.packets[direction].push(packet);
				if (!this.lose(packet, direction)) {
					this.sockets[1 - i].send(packet, ends[1 - i].tuple.localPort, '127.0.0.1');
				}
			});
		});
		await Promise.all(ends.map((transport, i) => transport.connect({
			ip: '127.0.0.1', port: this.sockets[i].address().port, srtpParameters: ends[1 - i].srtpParameters,
		})));
	}

	// rtp returns what came by in one direction; the header is in clear with SRTP too.
	rtp(direction) {
		return this.packets[direction].filter(packet => (packet[0] & 0xc0) === 0x80 && !isRtcp(packet)).map(packet => ({
			payloadType: packet[1] & 0x7f, sequenceNumber: packet.readUInt16BE(2), ssrc: packet.readUInt32BE(8),
		}));
	}

	close() {
		return Promise.all(this.sockets.map(socket => new Promise(resolve => socket.close(resolve))));
	}
}
