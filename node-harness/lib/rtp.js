// RTP packets (RFC 3550 §5.1) with header extensions (RFC 8285), built and parsed independently of the worker.

// buildRtp returns a packet. extensions is a list of { id, value }; the two-byte form is used if one of them needs it.
export function buildRtp({ payloadType, sequenceNumber, timestamp = 0, ssrc, marker = false, extensions = [], payload = Buffer.from('media') }) {
	const header = Buffer.alloc(12);
	header[0] = 0x80 | (extensions.length > 0 ? 0x10 : 0);
	header[1] = (marker ? 0x80 : 0) | payloadType;
	header.writeUInt16BE(sequenceNumber & 0xffff, 2);
	header.writeUInt32BE(timestamp >>> 0, 4);
	header.writeUInt32BE(ssrc, 8);
	return Buffer.concat([header, extensionBlock(extensions), payload]);
}

function extensionBlock(extensions) {
	if (extensions.length === 0) {
		return Buffer.alloc(0);
	}
	const twoByte = extensions.some(({ id, value }) => id > 14 || value.length > 16 || value.length === 0);
	const elements = Buffer.concat(extensions.flatMap(({ id, value }) => [
		Buffer.from(twoByte ? [id, value.length] : [(id << 4) | (value.length - 1)]),
		value,
	]));
	const padded = Buffer.alloc(Math.ceil(elements.length / 4) * 4);
	elements.copy(padded);
	const head = Buffer.alloc(4);
	head.writeUInt16BE(twoByte ? 0x1000 : 0xbede, 0);
	head.writeUInt16BE(padded.length / 4, 2);
	return Buffer.concat([head, padded]);
}

export function parseRtp(packet) {
	const csrcs = packet[0] & 0x0f;
	let offset = 12 + csrcs * 4;
	let extensions = new Map();
	if (packet[0] & 0x10) {
		const profile = packet.readUInt16BE(offset);
		const length = packet.readUInt16BE(offset + 2) * 4;
		extensions = parseExtensions(profile, packet.subarray(offset + 4, offset + 4 + length));
		offset += 4 + length;
	}
	const padding = packet[0] & 0x20 ? packet[packet.length - 1] : 0;
	return {
		version: packet[0] >> 6,
		marker: Boolean(packet[1] & 0x80),
		payloadType: packet[1] & 0x7f,
		sequenceNumber: packet.readUInt16BE(2),
		timestamp: packet.readUInt32BE(4),
		ssrc: packet.readUInt32BE(8),
		extensions,
		headerLength: offset,
		payload: packet.subarray(offset, packet.length - padding),
	};
}

function parseExtensions(profile, block) {
	const found = new Map();
	const twoByte = profile === 0x1000;
	for (let i = 0; i < block.length;) {
		if (block[i] === 0) {
			i += 1; // Padding.
			continue;
		}
		const id = twoByte ? block[i] : block[i] >> 4;
		const length = twoByte ? block[i + 1] : (block[i] & 0x0f) + 1;
		i += twoByte ? 2 : 1;
		found.set(id, block.subarray(i, i + length));
		i += length;
	}
	return found;
}

// isRtcp distinguishes RTCP from RTP on one port (RFC 5761 §4).
export function isRtcp(packet) {
	return packet.length >= 2 && packet[1] >= 192 && packet[1] <= 223;
}

// vp8 returns a VP8 payload (RFC 7741 §4.2): a descriptor for the start of a frame, the frame's first bytes, then text.
export function vp8({ keyFrame, text = '' }) {
	const descriptor = Buffer.from([0x10]);
	const frame = keyFrame
		? Buffer.from([0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00])
		: Buffer.from([0x01, 0x00, 0x00]);
	return Buffer.concat([descriptor, frame, Buffer.from(text)]);
}
