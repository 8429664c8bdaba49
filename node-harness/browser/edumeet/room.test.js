// A room of EduMeet's media node, unchanged, whose worker has a cluster of three nodes. Its room server is this test, its browsers
// are pages of Chromium. scripts/edumeet.sh runs it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chromium } from '../lib/chromium.js';
import { MICROPHONE, isClose, painted } from '../lib/fixture.js';
import { Participant } from '../lib/participant.js';
import { until } from '../lib/wait.js';
import { MediaNode } from './media-node.js';

const { EDUMEET_URL, EDUMEET_SECRET, EDUMEET_DIR } = process.env;
const NODES = process.env.GAZPACHO_CLUSTER.split(',').map(address => address.split(':')[0]);
const SIMULCAST = [
	{ rid: 'r0', scaleResolutionDownBy: 2, maxBitrate: 200_000, scalabilityMode: 'L1T1' },
	{ rid: 'r1', scaleResolutionDownBy: 1, maxBitrate: 800_000, scalabilityMode: 'L1T1' },
];
const FRAMES = 60;

// sends makes a person send sound, simulcast video and data.
async function sends(person, color) {
	return {
		picture: await person.produce({ source: painted(color, { width: 480, height: 270 }), mimeType: 'video/VP8', encodings: SIMULCAST }),
		sound: await person.produce({ source: MICROPHONE, mimeType: 'audio/opus' }),
		data: await person.produceData({ label: 'chat' }),
	};
}

// receives makes a person receive that, and checks that it is what was sent.
async function receives(person, { picture, sound, data }, color) {
	const got = { picture: await person.consume(picture), sound: await person.consume(sound), data: await person.consumeData(data) };
	const stats = await person.sees(`${FRAMES} frames`, got.picture, ({ framesDecoded }) => framesDecoded >= FRAMES);
	assert.equal(stats.packetsLost, 0);
	await until('the colour', async () => isClose(await person.call('color', got.picture.id), color));
	await until('sound', async () => await person.call('loudness', got.sound.id) > 0.01);
	return got;
}

async function chat(from, producer, to, consumer, text) {
	await from.call('sendData', producer.id, [text]);
	await until(`"${text}" arrives`, async () => (await to.call('heardData', consumer.id)).includes(text));
}

test('two people in a room of EduMeet over three nodes', async t => {
	const node = await MediaNode.connect(EDUMEET_URL, EDUMEET_SECRET, EDUMEET_DIR);
	t.after(() => node.close());
	const chromium = await Chromium.open();
	t.after(() => chromium.close());
	const router = await node.router('room');
	const [alice, bob] = [await Participant.join(chromium, router), await Participant.join(chromium, router)];
	const where = [alice.send, alice.recv, bob.send, bob.recv].map(({ iceCandidates }) => iceCandidates[0].address);
	console.log(`Alice sends to ${where[0]} and receives from ${where[1]}, Bob sends to ${where[2]} and receives from ${where[3]}`);
	assert.deepEqual([...new Set(where)].sort(), NODES, 'not every node is used');

	const [fromAlice, fromBob] = [await sends(alice, '#00ff00'), await sends(bob, '#0000ff')];
	const [atBob, atAlice] = [await receives(bob, fromAlice, [0, 255, 0]), await receives(alice, fromBob, [0, 0, 255])];
	await chat(alice, fromAlice.data, bob, atBob.data, 'hello Bob');
	await chat(bob, fromBob.data, alice, atAlice.data, 'hello Alice');

	// What Alice receives has crossed from one node to another.
	assert.notEqual(where[1], where[2]);
	await router.createObserver('ActiveSpeakerObserver', fromBob.sound);
	await router.createObserver('AudioLevelObserver', fromBob.sound);
	const { dominantSpeakerId } = await node.hears('activeSpeakerObserverDominantSpeaker');
	assert.equal(dominantSpeakerId, fromBob.sound.id);
	await node.hears('audioLevelObserverVolumes');

	const isAtAlice = ({ consumerId }) => consumerId === atAlice.picture.id;
	await atAlice.picture.ask('setConsumerPreferredLayers', { spatialLayer: 0, temporalLayer: 0 });
	await alice.sees('the small picture', atAlice.picture, ({ frameWidth }) => frameWidth === 240);
	await node.hears('consumerLayersChanged', data => isAtAlice(data) && data.layers?.spatialLayer === 0);
	await atAlice.picture.ask('setConsumerPreferredLayers', { spatialLayer: 1, temporalLayer: 0 });
	await alice.sees('the large picture', atAlice.picture, ({ frameWidth }) => frameWidth === 480);

	await fromBob.picture.ask('pauseProducer');
	await node.hears('consumerProducerPaused', isAtAlice);
	await fromBob.picture.ask('resumeProducer');
	await node.hears('consumerProducerResumed', isAtAlice);
	const { framesDecoded } = await alice.stats(atAlice.picture);
	await alice.sees('pictures after the pause', atAlice.picture, stats => stats.framesDecoded > framesDecoded + 10);

	await fromBob.picture.ask('closeProducer');
	await node.hears('consumerClosed', isAtAlice);
	await router.ask('closeRouter');
});
