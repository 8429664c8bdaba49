// A WebRTC peer built from werift's transports: an implementation of ICE, DTLS, SRTP and SCTP independent of the worker's,
// configured with mediasoup's parameters instead of SDP.
import {
	IceCandidate, RTCDataChannel, RTCDataChannelParameters, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport,
	RTCIceGatherer, RTCIceParameters, RTCIceTransport, RTCSctpTransport, RtpHeader,
} from 'werift';
import { parseRtp } from '../lib/rtp.js';
import { until, within } from '../lib/wait.js';

// Protection profiles by their numbers in DTLS-SRTP (RFC 5764 §4.1.2, RFC 7714 §14.2).
export const SRTP_PROFILES = { AES_CM_128_HMAC_SHA1_80: 0x0001, AEAD_AES_128_GCM: 0x0007 };
const SCTP_PORT = 5000;

// WeriftPeer keeps all RTP packets (in .rtp, as returned by parseRtp) and RTCP packets (in .rtcp, werift's objects) that it
// received.
export class WeriftPeer {
	rtp = [];
	rtcp = [];

	// open gathers candidates on one address: a UDP socket, and with tcp also a TCP connection to be opened later.
	static async open({ address = '127.0.0.1', tcp = false, role = 'client', srtpProfiles = Object.values(SRTP_PROFILES) } = {}) {
		const peer = new WeriftPeer();
		peer.role = role;
		const gatherer = new RTCIceGatherer({
			useIpv4: false, useIpv6: false, additionalHostAddresses: [address], useTcp: tcp, tcpPassive: false,
		});
		gatherer.connection.stunServer = undefined; // Otherwise it uses one on the Internet.
		peer.ice = new RTCIceTransport(gatherer);
		peer.ice.connection.iceControlling = true; // The worker is ICE lite, thus controlled.
		await peer.ice.gather();
		const certificate = await RTCDtlsTransport.SetupCertificate();
		peer.dtls = new RTCDtlsTransport({}, peer.ice, certificate, srtpProfiles);
		peer.dtls.role = role;
		peer.dtls.onRtp.subscribe(packet => peer.rtp.push(parseRtp(packet.serialize())));
		peer.dtls.onRtcp.subscribe(packet => peer.rtcp.push(packet));
		return peer;
	}

	get dtlsParameters() {
		return {
			role: this.role,
			fingerprints: this.dtls.localParameters.fingerprints.map(({ algorithm, value }) => ({ algorithm, value })),
		};
	}

	// tell passes a transport's ICE parameters to werift; the peer uses only the candidates of its own protocol.
	async tell({ iceParameters, iceCandidates }) {
		const { usernameFragment, password } = iceParameters;
		this.ice.setRemoteParams(new RTCIceParameters({ iceLite: true, usernameFragment, password }));
		for (const { foundation, address, port, priority, protocol, type, tcpType } of iceCandidates) {
			const candidate = new IceCandidate(1, foundation, address, port, priority, protocol, type);
			candidate.tcpType = tcpType;
			await this.ice.addRemoteCandidate(candidate);
		}
		await this.ice.addRemoteCandidate(undefined);
	}

	// connect exchanges the parameters with a WebRtcTransport, and connects ICE and DTLS.
	async connect(transport, iceCandidates = transport.iceCandidates) {
		await this.tell({ iceParameters: transport.iceParameters, iceCandidates });
		const { role, fingerprints } = transport.dtlsParameters;
		this.dtls.setRemoteParams(new RTCDtlsParameters(
			fingerprints.map(({ algorithm, value }) => new RTCDtlsFingerprint(algorithm, value)), role,
		));
		await transport.connect({ dtlsParameters: this.dtlsParameters });
		const dtls = this.role === 'server' ? this.dtls.start() : undefined;
		await within('ICE connects', this.ice.start());
		this.#hurry();
		await within('DTLS connects', dtls ?? this.dtls.start());
	}

	// restartIce does what a browser does with new parameters: new credentials of its own, checks from the start and, with
	// moves, new sockets.
	async restartIce(transport, iceParameters, { moves = false } = {}) {
		const old = moves ? this.ice.connection.protocols.splice(0) : [];
		this.ice.restart();
		this.ice.connection.iceControlling = true;
		await this.ice.gather();
		await this.tell({ iceParameters, iceCandidates: transport.iceCandidates });
		await within('ICE connects again', this.ice.start());
		this.#hurry();
		await Promise.all(old.map(protocol => protocol.close()));
	}

	// #hurry makes TCP send at once, as browsers do: werift leaves Nagle's algorithm on.
	#hurry() {
		for (const { socket } of this.ice.connection.nominated.protocol.sockets?.values() ?? []) {
			socket.setNoDelay(true);
		}
	}

	// sendRtp sends a packet that buildRtp returned.
	async sendRtp(packet) {
		const header = RtpHeader.deSerialize(packet);
		await this.dtls.sendRtp(packet.subarray(header.payloadOffset), header);
	}

	// nextRtp waits for a matching RTP packet, which may have arrived already.
	nextRtp(what, match = () => true, options) {
		return until(`RTP: ${what}`, () => this.rtp.find(match), options);
	}

	nextRtcp(what, match, options) {
		return until(`RTCP: ${what}`, () => this.rtcp.find(match), options);
	}

	// startSctp connects SCTP over DTLS with the transport's parameters. Called again, it begins anew and forgets what there was,
	// channels included.
	async startSctp({ sctpParameters }) {
		if (this.sctp) {
			this.sctp.sctp.transport.send = async () => {}; // what still stirs in the old one is not heard
		}
		this.sctp = new RTCSctpTransport(SCTP_PORT, sctpParameters.maxMessageSize);
		this.sctp.setDtlsTransport(this.dtls);
		this.sctp.setRemoteMaxMessageSize(sctpParameters.maxMessageSize);
		const connected = this.sctp.sctp.stateChanged.connected.asPromise();
		await this.sctp.start(sctpParameters.port);
		await within('SCTP connects', connected);
	}

	// channel opens a negotiated data channel, as mediasoup uses them.
	channel(id, parameters = {}) {
		const channel = new RTCDataChannel(this.sctp, new RTCDataChannelParameters({
			id, negotiated: true, ordered: true, label: `channel ${id}`, protocol: '', ...parameters,
		}), false);
		channel.messages = [];
		channel.onMessage.subscribe(message => channel.messages.push(message));
		return channel;
	}

	channels(ids, parameters) {
		return ids.map(id => this.channel(id, parameters));
	}

	async close() {
		await this.sctp?.stop();
		await this.dtls.stop();
	}
}
