// What the server knows of the way from one person to another. What the browsers know, they add themselves.
const FRACTION = 256; // fractionLost is in 256ths, as in RTCP (RFC 3550)

// known: a time that has not been measured is 0.
const known = time => time || undefined;

async function first(source) {
	const [stats] = await source.getStats();
	return stats ?? {};
}

async function link(transport) {
	const stats = await first(transport);
	return {
		received: stats.recvBitrate, sent: stats.sendBitrate,
		incoming: stats.availableIncomingBitrate, outgoing: stats.availableOutgoingBitrate,
	};
}

async function stream(source, producer) {
	const encodings = await producer.getStats();
	return encodings.map(({ rid, bitrate, score, fractionLost, roundTripTime }) => ({
		source, rid, bitrate, score, roundTripTime: known(roundTripTime), loss: fractionLost / FRACTION,
	}));
}

async function delivery(consumer) {
	const { bitrate, score, fractionLost, roundTripTime } = await first(consumer);
	return { id: consumer.id, bitrate, score, roundTripTime: known(roundTripTime), loss: fractionLost / FRACTION };
}

// figures returns bitrates in bit/s, losses as fractions, and round-trip times in ms: what subject sends to the server (up, streams),
// and what viewer gets of it (down, deliveries).
export async function figures(viewer, subject) {
	const consumers = [...viewer.consumers.values()].filter(({ appData }) => appData.peerId === subject.id);
	const [up, down, streams, deliveries] = await Promise.all([
		link(subject.send),
		link(viewer.recv),
		Promise.all([...subject.producers].map(([source, producer]) => stream(source, producer))),
		Promise.all(consumers.map(delivery)),
	]);
	return { up, down, streams: streams.flat(), deliveries };
}
