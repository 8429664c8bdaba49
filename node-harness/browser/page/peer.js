// What runs in the browser: one end of a call, built on the unchanged mediasoup-client. Tests call the functions of
// window.peer and pass plain data; requests to the server go through window.signal, which the tests provide.
import { Device } from 'mediasoup-client';
import { tracks } from './tracks.js';
import { meters } from './meters.js';

const device = new Device({ handlerName: 'Chrome111' });
const transports = {}; // the present ones, by direction
const everyTransport = {}; // by id
const producers = {};
const consumers = {};
const dataProducers = {};
const dataConsumers = {};

function show(id, kind, track) {
	const element = document.createElement(kind);
	element.id = `m${id}`;
	element.autoplay = true;
	element.playsInline = true;
	element.srcObject = new MediaStream([track]);
	document.body.append(element);
	return element;
}

// keepSize makes the browser drop frames rather than shrink the picture when the machine is busy.
async function keepSize(sender) {
	const parameters = sender.getParameters();
	parameters.degradationPreference = 'maintain-resolution';
	await sender.setParameters(parameters);
}

// rows returns what getStats tells, as plain objects.
const rows = async source => [...(await source.getStats()).values()];

// answerAsDtlsServer makes the browser the DTLS server of the transports that it receives on, too. mediasoup-client leaves that
// to the browser, which is a client if it can.
function answerAsDtlsServer() {
	const original = RTCPeerConnection.prototype.setRemoteDescription;
	RTCPeerConnection.prototype.setRemoteDescription = function setRemoteDescription({ type, sdp }) {
		return original.call(this, { type, sdp: type === 'offer' ? sdp.replaceAll('a=setup:actpass', 'a=setup:active') : sdp });
	};
}

window.peer = {
	answerAsDtlsServer,

	async load(routerRtpCapabilities) {
		await device.load({ routerRtpCapabilities });
		return device.recvRtpCapabilities;
	},

	createTransport(direction, options) {
		const transport = direction === 'send' ? device.createSendTransport(options) : device.createRecvTransport(options);
		transports[direction] = everyTransport[transport.id] = transport;
		transport.on('connect', ({ dtlsParameters }, done, fail) => {
			window.signal('connect', { direction, dtlsParameters }).then(done, fail);
		});
		transport.on('produce', (options, done, fail) => {
			window.signal('produce', options).then(id => done({ id }), fail);
		});
		transport.on('producedata', (options, done, fail) => {
			window.signal('produceData', options).then(id => done({ id }), fail);
		});
	},

	// closeTransport closes a transport and removes what came over it.
	closeTransport(id) {
		everyTransport[id].close();
		delete everyTransport[id];
		for (const [id, { consumer, element }] of Object.entries(consumers)) {
			if (consumer.closed) {
				element.remove();
				delete consumers[id];
			}
		}
	},

	// lost resolves with the time at which the browser notices that a transport has lost its other end.
	lost: direction => new Promise(resolve => {
		transports[direction].on('connectionstatechange', state => ['disconnected', 'failed'].includes(state) && resolve(Date.now()));
	}),
	state: direction => transports[direction].connectionState,
	restartIce: (direction, iceParameters) => transports[direction].restartIce({ iceParameters }),
	stats: direction => rows(transports[direction]),

	async produce({ source, mimeType, ...options }) {
		const track = await tracks.open(source);
		const codec = device.sendRtpCapabilities.codecs.find(codec => codec.mimeType.toLowerCase() === mimeType.toLowerCase());
		if (!codec) {
			throw new Error(`this browser does not send ${mimeType}`);
		}
		const producer = await transports.send.produce({ track, codec, ...options });
		await keepSize(producer.rtpSender);
		producers[producer.id] = producer;
		return producer.id;
	},

	producerStats: id => rows(producers[id]),
	pauseProducer: id => producers[id].pause(),
	resumeProducer: id => producers[id].resume(),
	setMaxSpatialLayer: (id, layer) => producers[id].setMaxSpatialLayer(layer),
	closeProducer: id => producers[id].close(),
	replaceTrack: async (id, source) => producers[id].replaceTrack({ track: await tracks.open(source) }),

	async consume(options) {
		const consumer = await transports.recv.consume(options);
		consumers[consumer.id] = { consumer, element: show(consumer.id, consumer.kind, consumer.track) };
	},

	// consumerStats returns the row of the stream that a consumer receives.
	async consumerStats(id) {
		return (await rows(consumers[id].consumer)).find(({ type }) => type === 'inbound-rtp');
	},
	color: id => meters.color(consumers[id].element),
	loudness: id => meters.loudness(consumers[id].consumer.track),
	firstFrame: id => meters.firstFrame(consumers[id].element),

	// longestGap returns for how many milliseconds a picture stood at most since the call before, which must have been made.
	longestGap(id) {
		const entry = consumers[id];
		entry.longestGap ??= meters.watchGaps(entry.element);
		return entry.longestGap();
	},

	closeConsumer(id) {
		const { consumer, element } = consumers[id];
		consumer.close();
		element.remove();
		delete consumers[id];
	},

	async produceData(options) {
		const producer = await transports.send.produceData(options);
		dataProducers[producer.id] = producer;
		return producer.id;
	},

	async consumeData(options) {
		const consumer = await transports.recv.consumeData(options);
		const heard = [];
		const binaryType = 'arraybuffer';
		consumer.binaryType = binaryType;
		consumer.on('message', message => heard.push(message));
		dataConsumers[consumer.id] = { consumer, heard };
	},

	// sendData sends messages: a string as it is, { size, seed } as that many bytes.
	async sendData(id, messages) {
		const producer = dataProducers[id];
		if (producer.readyState !== 'open') {
			await new Promise(resolve => producer.once('open', resolve));
		}
		messages.forEach(message => producer.send(typeof message === 'string' ? message : meters.bytes(message)));
	},

	// heardData returns the received messages: a string as it is, bytes as { size, hash }.
	heardData: id => Promise.all(dataConsumers[id].heard.map(async message => (
		typeof message === 'string' ? message : { size: message.byteLength, hash: await meters.hash(message) }))),
	hashData: message => meters.hash(meters.bytes(message)),
	dataState: id => dataConsumers[id].consumer.readyState,
	closeDataProducer: id => dataProducers[id].close(),
};
