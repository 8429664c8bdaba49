// A call: Ann and Bob, WebRTC peers without a browser, hear each other through mediasoup on Gazpacho's worker.
//
//     npm install --ignore-scripts gazpacho mediasoup werift
//     node node_modules/gazpacho/examples/call.js
'use strict';
const { once } = require('node:events');
const { workerBin } = require('gazpacho');
const mediasoup = require('mediasoup');
const { Peer } = require('./peer.js');

const mediaCodecs = [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 }];
const ENOUGH = 100; // packets: two seconds of sound

// join gives a person a peer and a transport, connects them, and publishes the person's voice.
async function join(router, name) {
	const transport = await router.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] });
	const peer = await Peer.connect(transport);
	while (transport.dtlsState !== 'connected') {
		await once(transport, 'dtlsstatechange');
	}
	const [{ address, port }] = transport.iceCandidates;
	console.log(`${name}: ICE ${transport.iceState}, DTLS ${transport.dtlsState}, by ${address}:${port}`);
	const voice = await transport.produce({ kind: 'audio', rtpParameters: peer.rtpParameters });
	return { name, transport, peer, voice };
}

// listen has one person hear the other.
async function listen(router, person, other) {
	const consumer = await person.transport.consume({ producerId: other.voice.id, rtpCapabilities: router.rtpCapabilities });
	await person.peer.hear(consumer.rtpParameters.encodings[0].ssrc, ENOUGH);
	const [{ packetCount, packetsLost }] = await consumer.getStats();
	console.log(`${person.name} hears ${other.name}: ${ENOUGH} packets arrived, ${packetCount} were sent, ${packetsLost} were lost`);
}

async function main() {
	console.log(`worker: ${workerBin}`);
	const worker = await mediasoup.createWorker({ workerBin });
	const router = await worker.createRouter({ mediaCodecs });
	console.log(`mediasoup ${mediasoup.version}, worker process ${worker.pid}`);
	const [ann, bob] = await Promise.all(['Ann', 'Bob'].map(name => join(router, name)));
	await Promise.all([listen(router, ann, bob), listen(router, bob, ann)]);
	await Promise.all([ann.peer.close(), bob.peer.close()]);
	worker.close();
	console.log('done');
}

main();
