// An application with many rooms, on several workers: an ordinary mediasoup application that the suite tells what to do. What is
// mediasoup's is its public API.
import * as mediasoup from 'mediasoup';
import { VOICE } from '../../lib/media.js';
import { obey, watch } from '../commands.js';
import { Coming } from './coming.js';

const LISTEN = { protocol: 'udp', ip: '0.0.0.0' };
const mediaCodecs = [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 }];

const workers = [];
const rooms = new Map(); // by name
let coming;

const personOf = ({ room, role }) => rooms.get(room).people.get(role);
const title = ({ room, role }) => `${room}, ${role}`;

const commands = {
	// open starts a worker for each cluster, which is addresses of nodes.
	async open({ clusters }) {
		for (const cluster of clusters) {
			process.env.GAZPACHO_CLUSTER = cluster;
			const worker = await mediasoup.createWorker({ logLevel: 'warn' });
			watch('application', 'worker', worker);
			workers.push(worker);
		}
		return workers.map(({ pid }) => pid);
	},

	// begin begins a room, on the worker of that number.
	async begin({ room, worker }) {
		const router = await workers[worker].createRouter({ mediaCodecs });
		rooms.set(room, { router, recorder: await router.createDirectTransport(), people: new Map() });
	},

	// join makes a transport: for a browser, or a plain one if there is a port, which sends there.
	async join({ room, role, ip, port }) {
		const { router, people } = rooms.get(room);
		const transport = port
			? await router.createPlainTransport({ listenInfo: LISTEN, rtcpMux: true, comedia: false })
			: await router.createWebRtcTransport({ listenInfos: [LISTEN], enableSctp: true });
		people.set(role, { transport });
		watch(title({ room, role }), 'transport', transport);
		if (!port) {
			const { iceParameters, iceCandidates, dtlsParameters, sctpParameters } = transport;
			return { ip: iceCandidates[0].address, iceParameters, iceCandidates, dtlsParameters, sctpParameters };
		}
		await transport.connect({ ip, port });
		return { ip: transport.tuple.localAddress, port: transport.tuple.localPort };
	},

	async connect({ dtlsParameters, ...who }) {
		await personOf(who).transport.connect({ dtlsParameters });
	},

	// speak makes a producer of the person's voice.
	async speak(who) {
		const person = personOf(who);
		person.voice = await person.transport.produce(VOICE);
		watch(title(who), 'voice', person.voice);
	},

	// write makes a data producer, which the room records.
	async write(who) {
		const person = personOf(who);
		person.chat = await person.transport.produceData({ sctpStreamParameters: { streamId: 0, ordered: true }, label: 'chat' });
		watch(who.room, `${who.role}'s chat`, await rooms.get(who.room).recorder.consumeData({ dataProducerId: person.chat.id }));
	},

	// hear has a person consume another one's voice, and returns by which SSRC it is sent.
	async hear({ of, ...who }) {
		const producer = personOf({ room: who.room, role: of }).voice;
		const { rtpCapabilities } = rooms.get(who.room).router;
		const consumer = await personOf(who).transport.consume({ producerId: producer.id, rtpCapabilities });
		watch(title(who), `${of}'s voice`, consumer);
		return consumer.rtpParameters.encodings[0].ssrc;
	},

	// ask asks for something that the person's node knows, and returns how that is answered.
	ask: who => personOf(who).transport.getStats().then(() => 'answered', error => `refused: ${error.message}`),

	leave({ room, role }) {
		personOf({ room, role }).transport.close();
		rooms.get(room).people.delete(role);
	},

	end({ room }) {
		rooms.get(room).router.close();
		rooms.delete(room);
	},

	// startComing has transports come and go in all rooms.
	startComing({ rate }) {
		coming = new Coming(rooms, LISTEN, rate);
		coming.start();
	},

	coming: () => coming.result(),
	stopComing: () => coming.stop(),

	// settle resolves when the nodes have answered, behind all that they have told before.
	settle: () => Promise.all(workers.map(worker => worker.dump())),

	async close() {
		const ended = workers.map(worker => new Promise(resolve => worker.once('subprocessclose', resolve)));
		workers.forEach(worker => worker.close());
		await Promise.all(ended);
	},
};

obey(commands);
