// What a page can ask for. Each method says what its data must look like, and what is done; what it returns is the answer.
import { BadRequest, integer, oneOf, parameters, text } from './check.js';
import { figures } from './figures.js';
import { SOURCES } from './peer.js';

const room = text({ max: 40, pattern: /^[a-z0-9-]+$/ });
const name = text({ max: 40 });
const id = text({ max: 80 });
const direction = oneOf(['send', 'recv']);
const source = oneOf(Object.keys(SOURCES));
const MOST_LAYERS = 8;

const transportOptions = ({ id, iceParameters, iceCandidates, dtlsParameters, sctpParameters }) => (
	{ id, iceParameters, iceCandidates, dtlsParameters, sctpParameters });

async function join(connection, rooms, data) {
	if (connection.peer) {
		throw new BadRequest('you are in a room already');
	}
	const peer = await rooms.enter({
		...data, notify: (event, data) => connection.notify(event, data), hangUp: () => connection.hangUp(),
	});
	connection.joined(peer);
	return {
		...peer.describe(),
		routerRtpCapabilities: peer.room.router.rtpCapabilities,
		transports: { send: transportOptions(peer.send), recv: transportOptions(peer.recv) },
		peers: peer.room.others(peer).map(other => other.describe()),
	};
}

function somebody(peer, id) {
	const other = peer.room.peers.get(id);
	if (!other) {
		throw new BadRequest('that person has left');
	}
	return other;
}

// METHODS of people in a room get the peer; join, which comes first, is apart.
export const JOIN = { checks: { room, name, tab: id }, run: join };

export const METHODS = {
	connect: {
		checks: { direction, dtlsParameters: parameters },
		run: (peer, { direction, dtlsParameters }) => peer.connect(direction, dtlsParameters),
	},
	receive: {
		checks: { rtpCapabilities: parameters },
		run: (peer, { rtpCapabilities }) => peer.receive(rtpCapabilities),
	},
	produce: {
		checks: { source, rtpParameters: parameters },
		run: (peer, data) => peer.produce(data),
	},
	produceData: {
		checks: { sctpStreamParameters: parameters },
		run: (peer, data) => peer.produceData(data),
	},
	pauseProducer: { checks: { source }, run: (peer, { source }) => peer.producer(source).pause() },
	resumeProducer: { checks: { source }, run: (peer, { source }) => peer.producer(source).resume() },
	closeProducer: { checks: { source }, run: (peer, { source }) => peer.producer(source).close() },
	pauseConsumer: { checks: { id }, run: (peer, { id }) => peer.consumer(id).pause() },
	resumeConsumer: { checks: { id }, run: (peer, { id }) => peer.consumer(id).resume() },
	setPreferredLayers: {
		checks: { id, spatialLayer: integer(0, MOST_LAYERS - 1), temporalLayer: integer(0, MOST_LAYERS - 1) },
		run: (peer, { id, ...layers }) => peer.consumer(id).setPreferredLayers(layers),
	},
	setPriority: {
		checks: { id, priority: integer(1, 255) },
		run: (peer, { id, priority }) => peer.consumer(id).setPriority(priority),
	},
	figures: {
		checks: { peerId: id },
		run: (peer, { peerId }) => figures(peer, somebody(peer, peerId)),
	},
};
