// Ways to connect two routers, and a simulcast sender to test them with.
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

// simulcastProducer has three encodings, identified by SSRC or by RID.
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

// SimulcastEncoder sends three VP8 encodings from a peer until it is stopped: a frame of each every 20 ms, sender reports,
// and key frames when the worker requests them. The payload of each frame contains the number of its encoding.
export class SimulcastEncoder {
	sent = [0, 0, 0];
	keyFramesRequested = [0, 0, 0];
	#keyFrameNext = [true, true, true];
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
		this.#readFeedback();
		for (const layer of [0, 1, 2]) {
			const count = this.sent[layer]++;
			const keyFrame = this.#keyFrameNext[layer];
			this.#keyFrameNext[layer] = false;
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

	// #readFeedback records the key frames that the worker has requested since the last call.
	#readFeedback() {
		for (const { type, count, mediaSsrc } of this.peer.rtcp.splice(0)) {
			const layer = mediaSsrc - 1000;
			if (type === TYPE.PSFB && (count === 1 || count === 4) && layer in this.#keyFrameNext) {
				this.#keyFrameNext[layer] = true;
				this.keyFramesRequested[layer]++;
			}
		}
	}
}

// layerOf returns the encoding of a received packet.
export const layerOf = packet => Number(/layer (\d)/.exec(packet.payload.toString('latin1'))?.[1]);

// Relay forwards packets between two transports, except those for which lose(packet, direction) returns true. direction is
// 'there' or 'back'.
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

	// rtp returns the RTP headers that passed in one direction; SRTP does not encrypt them.
	rtp(direction) {
		return this.packets[direction].filter(packet => (packet[0] & 0xc0) === 0x80 && !isRtcp(packet)).map(packet => ({
			payloadType: packet[1] & 0x7f, sequenceNumber: packet.readUInt16BE(2), ssrc: packet.readUInt32BE(8),
		}));
	}

	close() {
		return Promise.all(this.sockets.map(socket => new Promise(resolve => socket.close(resolve))));
	}
}
