// SRTP and SRTCP (RFC 3711, RFC 7714) on node:crypto: a second implementation to test the worker against.
import * as crypto from 'node:crypto';

// Sizes in bytes. tag is RTP's; RTCP's is rtcpTag.
export const SUITES = {
	AEAD_AES_256_GCM: { cipher: 'aes-256', key: 32, salt: 12, gcm: true, tag: 16, rtcpTag: 16 },
	AEAD_AES_128_GCM: { cipher: 'aes-128', key: 16, salt: 12, gcm: true, tag: 16, rtcpTag: 16 },
	AES_CM_128_HMAC_SHA1_80: { cipher: 'aes-128', key: 16, salt: 14, gcm: false, tag: 10, rtcpTag: 10 },
	AES_CM_128_HMAC_SHA1_32: { cipher: 'aes-128', key: 16, salt: 14, gcm: false, tag: 4, rtcpTag: 10 },
};

const LABEL = { rtp: { key: 0, auth: 1, salt: 2 }, rtcp: { key: 3, auth: 4, salt: 5 } };
const AUTH_KEY_LENGTH = 20;

export function generateKeyBase64(suite) {
	const { key, salt } = SUITES[suite];
	return crypto.randomBytes(key + salt).toString('base64');
}

// deriveKey is RFC 3711 §4.3.1 with a key derivation rate of zero; a 96-bit salt is padded on the right (RFC 7714 §11).
export function deriveKey(cipher, masterKey, masterSalt, label, length) {
	const iv = Buffer.alloc(16);
	masterSalt.copy(iv);
	iv[7] ^= label;
	return crypto.createCipheriv(`${cipher}-ctr`, masterKey, iv).update(Buffer.alloc(length));
}

function xorInto(target, source, offset) {
	source.forEach((byte, i) => {
		target[offset + i] ^= byte;
	});
}

function word(value) {
	const buffer = Buffer.alloc(4);
	buffer.writeUInt32BE(value >>> 0);
	return buffer;
}

function rtpHeaderLength(packet) {
	let length = 12 + (packet[0] & 0x0f) * 4;
	if (packet[0] & 0x10) {
		length += 4 + packet.readUInt16BE(length + 2) * 4;
	}
	return length;
}

// SrtpSession protects or unprotects packets of one direction. Packets must be in order across a wrap of the sequence
// number, which is enough for the tests.
export class SrtpSession {
	constructor(suite, keyBase64) {
		this.suite = SUITES[suite];
		const raw = Buffer.from(keyBase64, 'base64');
		const masterKey = raw.subarray(0, this.suite.key);
		const masterSalt = raw.subarray(this.suite.key, this.suite.key + this.suite.salt);
		const derive = (label, length) => deriveKey(this.suite.cipher, masterKey, masterSalt, label, length);
		for (const kind of ['rtp', 'rtcp']) {
			this[kind] = {
				key: derive(LABEL[kind].key, this.suite.key),
				auth: derive(LABEL[kind].auth, AUTH_KEY_LENGTH),
				salt: derive(LABEL[kind].salt, this.suite.salt),
			};
		}
		this.rollover = new Map(); // ssrc → { roc, sequenceNumber }
		this.rtcpIndex = 0;
	}

	protectRtp(packet) {
		const split = rtpHeaderLength(packet);
		const header = packet.subarray(0, split);
		const roc = this.#advance(packet);
		if (this.suite.gcm) {
			return Buffer.concat([header, this.#seal(this.rtp, this.#gcmRtpIv(packet, roc), header, packet.subarray(split))]);
		}
		const body = Buffer.concat([header, this.#counter(this.rtp, this.#cmRtpIv(packet, roc), packet.subarray(split))]);
		return Buffer.concat([body, this.#mac(this.rtp, [body, word(roc)], this.suite.tag)]);
	}

	unprotectRtp(packet) {
		const split = rtpHeaderLength(packet);
		const header = packet.subarray(0, split);
		const roc = this.#advance(packet);
		if (this.suite.gcm) {
			return Buffer.concat([header, this.#open(this.rtp, this.#gcmRtpIv(packet, roc), header, packet.subarray(split))]);
		}
		const end = packet.length - this.suite.tag;
		this.#verify(this.rtp, [packet.subarray(0, end), word(roc)], packet.subarray(end));
		return Buffer.concat([header, this.#counter(this.rtp, this.#cmRtpIv(packet, roc), packet.subarray(split, end))]);
	}

	protectRtcp(packet) {
		const header = packet.subarray(0, 8);
		const index = word((0x80000000 | ++this.rtcpIndex) >>> 0);
		if (this.suite.gcm) {
			const sealed = this.#seal(this.rtcp, this.#gcmRtcpIv(packet, index), Buffer.concat([header, index]), packet.subarray(8));
			return Buffer.concat([header, sealed, index]);
		}
		const body = Buffer.concat([header, this.#counter(this.rtcp, this.#cmRtcpIv(packet, index), packet.subarray(8)), index]);
		return Buffer.concat([body, this.#mac(this.rtcp, [body], this.suite.rtcpTag)]);
	}

	unprotectRtcp(packet) {
		const header = packet.subarray(0, 8);
		if (this.suite.gcm) {
			const index = packet.subarray(packet.length - 4);
			const sealed = packet.subarray(8, packet.length - 4);
			return Buffer.concat([header, this.#open(this.rtcp, this.#gcmRtcpIv(packet, index), Buffer.concat([header, index]), sealed)]);
		}
		const end = packet.length - this.suite.rtcpTag;
		this.#verify(this.rtcp, [packet.subarray(0, end)], packet.subarray(end));
		const index = packet.subarray(end - 4, end);
		return Buffer.concat([header, this.#counter(this.rtcp, this.#cmRtcpIv(packet, index), packet.subarray(8, end - 4))]);
	}

	// #advance returns the rollover counter of a packet (RFC 3711 §3.3.1, for packets in order).
	#advance(packet) {
		const ssrc = packet.readUInt32BE(8);
		const sequenceNumber = packet.readUInt16BE(2);
		const state = this.rollover.get(ssrc) ?? { roc: 0, sequenceNumber };
		if (state.sequenceNumber - sequenceNumber > 0x8000) {
			state.roc++;
		}
		state.sequenceNumber = sequenceNumber;
		this.rollover.set(ssrc, state);
		return state.roc;
	}

	#cmRtpIv(packet, roc) {
		const iv = Buffer.alloc(16);
		this.rtp.salt.copy(iv);
		xorInto(iv, packet.subarray(8, 12), 4);
		xorInto(iv, word(roc), 8);
		xorInto(iv, packet.subarray(2, 4), 12);
		return iv;
	}

	#cmRtcpIv(packet, index) {
		const iv = Buffer.alloc(16);
		this.rtcp.salt.copy(iv);
		xorInto(iv, packet.subarray(4, 8), 4);
		xorInto(iv, word(index.readUInt32BE() & 0x7fffffff), 10);
		return iv;
	}

	#gcmRtpIv(packet, roc) {
		const iv = Buffer.from(this.rtp.salt);
		xorInto(iv, packet.subarray(8, 12), 2);
		xorInto(iv, word(roc), 6);
		xorInto(iv, packet.subarray(2, 4), 10);
		return iv;
	}

	#gcmRtcpIv(packet, index) {
		const iv = Buffer.from(this.rtcp.salt);
		xorInto(iv, packet.subarray(4, 8), 2);
		xorInto(iv, word(index.readUInt32BE() & 0x7fffffff), 8);
		return iv;
	}

	#counter({ key }, iv, data) {
		return crypto.createCipheriv(`${this.suite.cipher}-ctr`, key, iv).update(data);
	}

	#seal({ key }, iv, associated, data) {
		const cipher = crypto.createCipheriv(`${this.suite.cipher}-gcm`, key, iv);
		cipher.setAAD(associated);
		return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]);
	}

	#open({ key }, iv, associated, sealed) {
		const end = sealed.length - 16;
		const decipher = crypto.createDecipheriv(`${this.suite.cipher}-gcm`, key, iv);
		decipher.setAAD(associated);
		decipher.setAuthTag(sealed.subarray(end));
		return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
	}

	#mac({ auth }, parts, length) {
		const hmac = crypto.createHmac('sha1', auth);
		parts.forEach(part => hmac.update(part));
		return hmac.digest().subarray(0, length);
	}

	#verify(keys, parts, tag) {
		if (!this.#mac(keys, parts, tag.length).equals(tag)) {
			throw new Error('SRTP authentication failed');
		}
	}
}
