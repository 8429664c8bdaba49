// A remote peer on UDP: sends the packets that a test builds, and keeps those that the worker sends.
import * as dgram from 'node:dgram';
import { isRtcp, parseRtp } from './rtp.js';
import { parseRtcp } from './rtcp.js';
import { until } from './wait.js';

// Peer keeps all RTP packets (parsed, in .rtp) and RTCP packets (parsed, in .rtcp) that it received.
// With SRTP, local protects what it sends, remote unprotects what it receives; both are SrtpSessions.
export class Peer {
	rtp = [];
	rtcp = [];
	raw = [];
	host = '127.0.0.1'; // of the worker
	handleRtcp = () => {};

	static async open({ local, remote } = {}) {
		const peer = new Peer();
		peer.local = local;
		peer.remote = remote;
		peer.socket = dgram.createSocket('udp4');
		await new Promise((resolve, reject) => {
			peer.socket.once('error', reject);
			peer.socket.bind(0, '127.0.0.1', resolve);
		});
		peer.socket.on('message', message => peer.#receive(message));
		return peer;
	}

	get port() {
		return this.socket.address().port;
	}

	#receive(message) {
		this.raw.push(message);
		if (isRtcp(message)) {
			const packet = this.remote ? this.remote.unprotectRtcp(message) : message;
			this.rtcp.push(...parseRtcp(packet));
			this.handleRtcp(packet);
		} else {
			this.rtp.push(parseRtp(this.remote ? this.remote.unprotectRtp(message) : message));
		}
	}

	// send resolves when the kernel has taken the packet: packets of several peers arrive in the order of the awaits.
	send(packet, port) {
		let bytes = packet;
		if (this.local) {
			bytes = isRtcp(packet) ? this.local.protectRtcp(packet) : this.local.protectRtp(packet);
		}
		return this.sendRaw(bytes, port);
	}

	sendRaw(bytes, port = this.target) {
		return new Promise((resolve, reject) => {
			this.socket.send(bytes, port, this.host, error => (error ? reject(error) : resolve()));
		});
	}

	// nextRtp waits for a matching RTP packet, which may have arrived already.
	nextRtp(what, match = () => true, options) {
		return until(`RTP: ${what}`, () => this.rtp.find(match), options);
	}

	nextRtcp(what, match, options) {
		return until(`RTCP: ${what}`, () => this.rtcp.find(match), options);
	}

	close() {
		return new Promise(resolve => this.socket.close(resolve));
	}
}
