// The application of the fault tests: a room of an ordinary mediasoup application, in a process of its own so that it can be
// killed. The suite tells it what to do and hears of the library's events by messages; what is mediasoup's is its public API.
import * as mediasoup from 'mediasoup';
import { obey, watch } from './commands.js';
import { Load } from './load.js';

const LISTEN = { protocol: 'udp', ip: '0.0.0.0' };
const mediaCodecs = [
	{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
	{ kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
	{ kind: 'video', mimeType: 'video/VP9', clockRate: 90000 },
];

const people = new Map(); // by name
let worker;
let router;
let load;

const commands = {
	async open() {
		worker = await mediasoup.createWorker({ logLevel: 'warn' });
		watch('application', 'worker', worker);
		router = await worker.createRouter({ mediaCodecs });
		return { pid: worker.pid };
	},

	// transport makes one of a person's transports. Those with a port are plain ones, which send there; the others are for a browser.
	async transport({ name, object, port, ip }) {
		const person = people.get(name) ?? { transports: {}, producers: {}, consumers: {} };
		people.set(name, person);
		const transport = port
			? await router.createPlainTransport({ listenInfo: LISTEN, rtcpMux: true, comedia: false })
			: await router.createWebRtcTransport({ listenInfos: [LISTEN], enableSctp: true });
		watch(name, object, transport);
		person.transports[object] = transport;
		if (!port) {
			const { iceParameters, iceCandidates, dtlsParameters, sctpParameters } = transport;
			return { ip: iceCandidates[0].address, iceParameters, iceCandidates, dtlsParameters, sctpParameters };
		}
		await transport.connect({ ip, port });
		return { ip: transport.tuple.localAddress, port: transport.tuple.localPort };
	},

	async connect({ name, object, dtlsParameters }) {
		await people.get(name).transports[object].connect({ dtlsParameters });
	},

	// publish gives a person the producers whose parameters are listed, by object, and one for data.
	async publish({ name, media }) {
		const person = people.get(name);
		for (const { object, on, options } of media) {
			person.producers[object] = await person.transports[on].produce(options);
			watch(name, object, person.producers[object]);
		}
		person.chat = await person.transports.browser.produceData({ sctpStreamParameters: { streamId: 0, ordered: true }, label: 'chat' });
	},

	// subscribe has a person consume all that another one publishes, and returns by which SSRC each stream is sent.
	async subscribe({ name, of, on }) {
		const person = people.get(name);
		const other = people.get(of);
		const streams = {};
		for (const [object, producer] of Object.entries(other.producers)) {
			const consumer = await person.transports[on[object]].consume({ producerId: producer.id, rtpCapabilities: router.rtpCapabilities });
			const title = `${of}'s ${object}`;
			watch(name, title, consumer);
			person.consumers[title] = consumer;
			streams[object] = consumer.rtpParameters.encodings[0].ssrc;
		}
		watch(name, `${of}'s chat`, await person.transports.browser.consumeData({ dataProducerId: other.chat.id }));
		return streams;
	},

	// layers returns which spatial layers are forwarded of the streams that have some; null for none.
	layers() {
		const all = [...people.values()].flatMap(({ consumers }) => Object.values(consumers));
		return all.filter(({ kind, closed }) => kind === 'video' && !closed).map(({ currentLayers }) => currentLayers?.spatialLayer ?? null);
	},

	startLoad({ rate, targets }) {
		load = new Load(router, people, targets, rate);
		return load.start();
	},

	stopLoad() {
		return load.stop();
	},

	// leave closes all that a person has; others hear of it as of anybody who leaves.
	leave({ name }) {
		Object.values(people.get(name).transports).forEach(transport => transport.close());
		people.delete(name);
	},

	async close() {
		const ended = new Promise(resolve => worker.once('subprocessclose', resolve));
		worker.close();
		await ended;
	},
};

obey(commands);
