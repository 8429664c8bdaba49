// What people send: parameters of their producers, and the packets. Each kind of stream that a node treats in a way of its own.
import { buildRtp } from './rtp.js';
import { parseRtcp, PSFB_FIR, PSFB_PLI, TYPE } from './rtcp.js';
import { SimulcastEncoder, simulcastProducer } from './pipes.js';

export const AUDIO_MS = 20;
const AUDIO_TYPE = 100;
const VP9_TYPE = 120;
const VOICE_SSRC = 900;
const SCREEN_SSRC = 2000;
const SPATIAL_LAYERS = 3;
const SCREEN_MS = 40;

// VOICE are the parameters of a voice.
export const VOICE = {
	kind: 'audio',
	rtpParameters: {
		codecs: [{ mimeType: 'audio/opus', payloadType: AUDIO_TYPE, clockRate: 48000, channels: 2 }], encodings: [{ ssrc: VOICE_SSRC }],
	},
};

// voicePacket returns a voice's packet of that number, when each holds so many milliseconds.
export function voicePacket(seq, ms = AUDIO_MS) {
	return buildRtp({
		payloadType: AUDIO_TYPE, ssrc: VOICE_SSRC, sequenceNumber: seq & 0xffff, timestamp: seq * 48 * ms, payload: Buffer.alloc(60),
	});
}

// MEDIA are the streams of a person: on which transport, and with which parameters.
export const MEDIA = [
	{ object: 'voice', on: 'sound', options: VOICE },
	{ object: 'camera', on: 'picture', options: simulcastProducer() },
	{
		object: 'screen', on: 'picture',
		options: {
			kind: 'video',
			rtpParameters: {
				mid: 'SCREEN',
				codecs: [{
					mimeType: 'video/VP9', payloadType: VP9_TYPE, clockRate: 90000,
					rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'ccm', parameter: 'fir' }],
				}],
				encodings: [{ ssrc: SCREEN_SSRC, scalabilityMode: `L${SPATIAL_LAYERS}T1` }],
			},
		},
	},
];

// Voice sends a packet every 20 ms. It knows its longest pause: a machine that is too busy makes gaps of its own.
export class Voice {
	longestPause = 0;
	#seq = 0;

	start(peer) {
		const begun = performance.now();
		this.last = begun;
		this.timer = setInterval(() => {
			const now = performance.now();
			this.longestPause = Math.max(this.longestPause, now - this.last);
			this.last = now;
			while (this.#seq * AUDIO_MS < now - begun) {
				peer.sendRaw(voicePacket(this.#seq++));
			}
		}, AUDIO_MS / 2);
		return this;
	}

	stop() {
		clearInterval(this.timer);
	}
}

// keyFramesAsked returns the requests for key frames in a packet.
const keyFramesAsked = packet =>
	parseRtcp(packet).filter(({ type, count }) => type === TYPE.PSFB && (count === PSFB_PLI || count === PSFB_FIR));

// SvcEncoder sends VP9 pictures of three spatial layers, a packet each, and key frames on request.
export class SvcEncoder {
	#picture = 0;
	#seq = 0;
	#keyFrame = true;

	start(peer) {
		this.timer = setInterval(() => this.#send(peer), SCREEN_MS);
		return this;
	}

	// handleRtcp answers requests for key frames.
	handleRtcp(packet) {
		if (keyFramesAsked(packet).some(({ mediaSsrc }) => mediaSsrc === SCREEN_SSRC)) {
			this.#keyFrame = true;
		}
	}

	stop() {
		clearInterval(this.timer);
	}

	#send(peer) {
		const id = this.#picture++ & 0x7fff;
		for (let layer = 0; layer < SPATIAL_LAYERS; layer++) {
			peer.sendRaw(buildRtp({
				payloadType: VP9_TYPE, ssrc: SCREEN_SSRC, sequenceNumber: this.#seq++ & 0xffff, timestamp: id * SCREEN_MS * 90,
				marker: layer === SPATIAL_LAYERS - 1, payload: vp9(id, layer, this.#keyFrame),
			}));
		}
		this.#keyFrame = false;
	}
}

// vp9 returns a payload that holds a whole frame of a spatial layer (RFC 9628 section 4.2, not in flexible mode).
function vp9(id, layer, keyFrame) {
	const HAS_PICTURE_ID = 0x80;
	const INTER_PICTURE = 0x40;
	const HAS_LAYERS = 0x20;
	const START = 0x08;
	const END = 0x04;
	const first = HAS_PICTURE_ID | HAS_LAYERS | START | END | (keyFrame ? 0 : INTER_PICTURE);
	return Buffer.from([first, 0x80 | (id >> 8), id & 0xff, (layer << 1) | (layer > 0 ? 1 : 0), id & 0xff, ...Buffer.from('picture')]);
}

// Picture sends a camera's three encodings and a screen's three layers from one peer, and answers requests for key frames.
export class Picture {
	start(peer) {
		this.camera = new SimulcastEncoder(peer).start();
		this.screen = new SvcEncoder().start(peer);
		peer.handleRtcp = packet => {
			peer.rtcp.push(...keyFramesAsked(packet)); // where the camera looks
			this.screen.handleRtcp(packet);
		};
		return this;
	}

	stop() {
		this.camera.stop();
		this.screen.stop();
	}
}

