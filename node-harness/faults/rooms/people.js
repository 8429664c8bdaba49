// The people of a room. Each has one transport: a host with a browser and a guest with plain RTP talk to each other, and a latecomer's
// browser has not connected yet.
import { AUDIO_MS, voicePacket } from '../../lib/media.js';
import { WeriftPeer } from '../../peers/werift.js';
import { Ear, Port } from '../person.js';

const PACKET_MS = 3 * AUDIO_MS; // Opus has packets of 60 ms, so that a machine of two cores can have 80 people talk

// Voices sends for all who speak, by one timer. It knows its longest pause: a machine that is too busy makes gaps of its own.
export class Voices {
	longestPause = 0;
	#speakers = new Map();

	constructor() {
		this.last = performance.now();
		this.timer = setInterval(() => this.#send(performance.now()), AUDIO_MS);
	}

	add(speaker) {
		this.#speakers.set(speaker, { begun: performance.now(), seq: 0 });
	}

	remove(speaker) {
		this.#speakers.delete(speaker);
	}

	mark() {
		this.longestPause = 0;
	}

	stop() {
		clearInterval(this.timer);
	}

	#send(now) {
		this.longestPause = Math.max(this.longestPause, now - this.last);
		this.last = now;
		for (const [speaker, voice] of this.#speakers) {
			while (voice.seq * PACKET_MS < now - voice.begun) {
				speaker.send(voicePacket(voice.seq++, PACKET_MS));
			}
		}
	}
}

// Browser is the person's end of a WebRtcTransport.
class Browser {
	async join(call, host) {
		this.transport = await call('join');
		this.transport.connect = ({ dtlsParameters }) => call('connect', { dtlsParameters });
		this.host = host;
		return this.transport.ip;
	}

	leave() {
		this.peer?.close().catch(() => {}); // its node may be gone
	}
}

class Host extends Browser {
	async join(call, host) {
		const ip = await super.join(call, host);
		this.peer = await WeriftPeer.open({ address: host });
		this.peer.dtls.onRtp.subscribe(({ header }) => {
			if (header.ssrc === this.ssrc) {
				this.ear.take(header.sequenceNumber, performance.now());
			}
		});
		await this.peer.connect(this.transport);
		return ip;
	}

	// publish makes the producers; SCTP is connected when there is a data producer, which the worker begins with then.
	async publish(call) {
		await call('speak');
		await call('write');
		await this.peer.startSctp(this.transport);
	}

	listen(ssrc) {
		Object.assign(this, { ssrc, ear: new Ear() });
	}

	send(packet) {
		this.peer.sendRtp(packet).catch(() => {}); // its node may be gone
	}
}

class Guest {
	async join(call, host) {
		this.port = await Port.open(host);
		this.port.target = await call('join', { ip: host, port: this.port.number });
		return this.port.target.ip;
	}

	publish(call) {
		return call('speak');
	}

	listen(ssrc) {
		this.ear = new Ear();
		this.port.ears = new Map([[ssrc, this.ear]]);
	}

	send(packet) {
		this.port.sendRaw(packet);
	}

	leave() {
		this.port.socket.close();
	}
}

// ROLES are the people that each room has, in the order in which they come.
export const ROLES = { host: Host, guest: Guest, latecomer: Browser };
