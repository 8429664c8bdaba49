// A WebRTC peer without a browser, made of werift's transports. It speaks mediasoup's parameters rather than SDP.
'use strict';
const {
	IceCandidate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport, RTCIceGatherer, RTCIceParameters, RTCIceTransport, RtpHeader,
} = require('werift');

const PACKET_MS = 20;
const PAYLOAD_TYPE = 111;
const SAMPLES = 960; // of 20 ms
const SILENCE = Buffer.from([0xf8, 0xff, 0xfe]); // a packet of Opus
const AES_CM_128_HMAC_SHA1_80 = 1;

class Peer {
	#ice;
	#dtls;
	#timer;
	#listeners = new Map(); // by SSRC
	#ssrc = 1 + Math.floor(Math.random() * 0x7fffffff);
	#count = 0;

	// connect returns a peer that is connected to a WebRtcTransport, and speaks.
	static async connect(transport) {
		const peer = new Peer();
		await peer.#connect(transport);
		peer.#timer = setInterval(() => peer.#speak(), PACKET_MS);
		return peer;
	}

	async #connect(transport) {
		const gatherer = new RTCIceGatherer({ useIpv4: false, useIpv6: false, additionalHostAddresses: ['127.0.0.1'] });
		gatherer.connection.stunServer = undefined;
		this.#ice = new RTCIceTransport(gatherer);
		this.#ice.connection.iceControlling = true; // mediasoup is ICE lite
		await this.#ice.gather();
		const certificate = await RTCDtlsTransport.SetupCertificate();
		this.#dtls = new RTCDtlsTransport({}, this.#ice, certificate, [AES_CM_128_HMAC_SHA1_80]);
		this.#dtls.role = 'client';
		this.#dtls.onRtp.subscribe(({ header }) => this.#listeners.get(header.ssrc)?.());
		await this.#tell(transport);
		const fingerprints = this.#dtls.localParameters.fingerprints.map(({ algorithm, value }) => ({ algorithm, value }));
		await transport.connect({ dtlsParameters: { role: 'client', fingerprints } });
		await this.#ice.start();
		await this.#dtls.start();
	}

	// #tell gives the peer the transport's parameters.
	async #tell({ iceParameters: { usernameFragment, password }, iceCandidates, dtlsParameters }) {
		this.#ice.setRemoteParams(new RTCIceParameters({ iceLite: true, usernameFragment, password }));
		for (const { foundation, address, port, priority, protocol, type } of iceCandidates) {
			await this.#ice.addRemoteCandidate(new IceCandidate(1, foundation, address, port, priority, protocol, type));
		}
		await this.#ice.addRemoteCandidate(undefined);
		const fingerprints = dtlsParameters.fingerprints.map(({ algorithm, value }) => new RTCDtlsFingerprint(algorithm, value));
		this.#dtls.setRemoteParams(new RTCDtlsParameters(fingerprints, dtlsParameters.role));
	}

	// rtpParameters are those of the peer's voice.
	get rtpParameters() {
		return {
			codecs: [{ mimeType: 'audio/opus', payloadType: PAYLOAD_TYPE, clockRate: 48000, channels: 2 }],
			encodings: [{ ssrc: this.#ssrc }],
		};
	}

	#speak() {
		const header = new RtpHeader({
			payloadType: PAYLOAD_TYPE, ssrc: this.#ssrc, sequenceNumber: this.#count & 0xffff, timestamp: (this.#count * SAMPLES) >>> 0,
		});
		this.#count++;
		this.#dtls.sendRtp(SILENCE, header);
	}

	// hear resolves when so many packets of a stream have arrived.
	hear(ssrc, count) {
		let heard = 0;
		return new Promise(resolve => this.#listeners.set(ssrc, () => ++heard === count && resolve()));
	}

	async close() {
		clearInterval(this.#timer);
		await this.#dtls.stop();
		await this.#ice.stop();
	}
}

module.exports = { Peer };
