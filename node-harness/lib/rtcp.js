// RTCP packets (RFC 3550 §6, RFC 4585), built and parsed independently of the worker.

export const TYPE = { SR: 200, RR: 201, SDES: 202, BYE: 203, RTPFB: 205, PSFB: 206, XR: 207 };
export const RTPFB_NACK = 1;
export const PSFB_PLI = 1;
export const PSFB_FIR = 4;

// NTP_OFFSET_S is the time between the NTP epoch (1900) and the Unix epoch, in seconds.
const NTP_OFFSET_S = 2_208_988_800;

function packet(type, count, body) {
	const head = Buffer.alloc(4);
	head[0] = 0x80 | count;
	head[1] = type;
	head.writeUInt16BE(body.length / 4, 2);
	return Buffer.concat([head, body]);
}

function words(...values) {
	const buffer = Buffer.alloc(values.length * 4);
	values.forEach((value, i) => buffer.writeUInt32BE(value >>> 0, i * 4));
	return buffer;
}

// senderReport takes ntp as { seconds, fraction } of NTP time.
export function senderReport({ ssrc, ntp, timestamp, packetCount = 0, octetCount = 0 }) {
	return packet(TYPE.SR, 0, words(ssrc, ntp.seconds, ntp.fraction, timestamp, packetCount, octetCount));
}

// receiverReport takes lastSenderReport (the middle 32 bits of the SR's NTP time) and delay in 1/65536 s.
export function receiverReport({ ssrc, mediaSsrc, fractionLost = 0, packetsLost = 0, highest = 0, jitter = 0, lastSenderReport = 0, delay = 0 }) {
	const loss = ((fractionLost & 0xff) << 24) | (packetsLost & 0xffffff);
	return packet(TYPE.RR, 1, words(ssrc, mediaSsrc, loss, highest, jitter, lastSenderReport, delay));
}

// nack requests sequence numbers, which must lie within 17 of the first one.
export function nack({ ssrc = 1, mediaSsrc, sequenceNumbers }) {
	const [first, ...others] = sequenceNumbers;
	const mask = others.reduce((bits, other) => bits | (1 << (((other - first) & 0xffff) - 1)), 0);
	return packet(TYPE.RTPFB, RTPFB_NACK, words(ssrc, mediaSsrc, ((first & 0xffff) << 16) | (mask & 0xffff)));
}

export function pli({ ssrc = 1, mediaSsrc }) {
	return packet(TYPE.PSFB, PSFB_PLI, words(ssrc, mediaSsrc));
}

export function fir({ ssrc = 1, mediaSsrc, sequence = 1 }) {
	return packet(TYPE.PSFB, PSFB_FIR, words(ssrc, 0, mediaSsrc, sequence << 24));
}

export function ntpNow() {
	const now = Date.now();
	return {
		seconds: Math.floor(now / 1000) + NTP_OFFSET_S,
		fraction: Math.floor(((now % 1000) / 1000) * 2 ** 32),
	};
}

// compactNtp returns the middle 32 bits, as reports quote them.
export function compactNtp({ seconds, fraction }) {
	return (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
}

// parseRtcp splits a compound packet into objects with type, count and the fields of the type (body for other types).
export function parseRtcp(buffer) {
	const found = [];
	for (let offset = 0; offset + 4 <= buffer.length;) {
		const length = (buffer.readUInt16BE(offset + 2) + 1) * 4;
		const body = buffer.subarray(offset + 4, offset + length);
		const head = { type: buffer[offset + 1], count: buffer[offset] & 0x1f };
		found.push({ ...head, ...details(head, body) });
		offset += length;
	}
	return found;
}

function details({ type, count }, body) {
	const word = i => body.readUInt32BE(i * 4);
	switch (type) {
		case TYPE.SR:
			return {
				ssrc: word(0), ntp: { seconds: word(1), fraction: word(2) }, timestamp: word(3),
				packetCount: word(4), octetCount: word(5), reports: reports(count, body.subarray(24)),
			};
		case TYPE.RR:
			return { ssrc: word(0), reports: reports(count, body.subarray(4)) };
		case TYPE.RTPFB:
			return { ssrc: word(0), mediaSsrc: word(1), sequenceNumbers: count === RTPFB_NACK ? nacked(body.subarray(8)) : [] };
		case TYPE.PSFB:
			return { ssrc: word(0), mediaSsrc: count === PSFB_FIR ? word(2) : word(1) };
		default:
			return { body };
	}
}

function reports(count, body) {
	return Array.from({ length: count }, (_, i) => {
		const word = n => body.readUInt32BE(i * 24 + n * 4);
		return {
			ssrc: word(0), fractionLost: word(1) >>> 24, packetsLost: word(1) & 0xffffff, highest: word(2),
			jitter: word(3), lastSenderReport: word(4), delay: word(5),
		};
	});
}

function nacked(body) {
	const found = [];
	for (let i = 0; i + 4 <= body.length; i += 4) {
		const first = body.readUInt16BE(i);
		const mask = body.readUInt16BE(i + 2);
		found.push(first);
		for (let bit = 0; bit < 16; bit++) {
			if (mask & (1 << bit)) {
				found.push((first + bit + 1) & 0xffff);
			}
		}
	}
	return found;
}
