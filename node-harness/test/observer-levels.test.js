// Observers of loudness, with audio levels in real packets (RFC 6464).
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { AUDIO_LEVEL_URI, LISTEN, useWorker, videoProducer } from '../lib/fixture.js';
import { buildRtp } from '../lib/rtp.js';
import { until } from '../lib/wait.js';

const LEVEL_ID = 12;
const PACKET_MS = 20;
const ctx = useWorker();
let voices;

beforeEach(() => {
	voices = [];
	let sequenceNumber = 0;
	const started = Date.now();
	// A late timer sends all packets that are due: with few packets in an interval, a voice would count as silent.
	const timer = setInterval(() => {
		for (const due = (Date.now() - started) / PACKET_MS; sequenceNumber < due; sequenceNumber++) {
			voices.forEach(voice => voice.level !== undefined && voice.send(sequenceNumber));
		}
	}, PACKET_MS);
	ctx.peers.push({ close: () => clearInterval(timer) });
});

// A silent voice still sends quiet noise: the observer takes only what is louder than a producer's noise for speech.
// A voice is a producer that sends a packet every 20 ms with its .level in -dBov, while that is set.
async function voice(how) {
	const ssrc = 5000 + voices.length;
	const direct = how === 'direct';
	const transport = direct ? await ctx.router.createDirectTransport() : await ctx.router.createPlainTransport({ ...LISTEN, comedia: true });
	const producer = await transport.produce({
		kind: 'audio',
		rtpParameters: {
			codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }],
			headerExtensions: [{ uri: AUDIO_LEVEL_URI, id: LEVEL_ID }],
			encodings: [{ ssrc }],
		},
	});
	const peer = direct ? undefined : await ctx.peer();
	const created = {
		producer, transport, level: undefined,
		send(sequenceNumber) {
			const packet = buildRtp({
				payloadType: 111, ssrc, sequenceNumber, timestamp: sequenceNumber * 960,
				extensions: [{ id: LEVEL_ID, value: Buffer.from([0x80 | created.level]) }],
			});
			return direct ? producer.send(packet) : void peer.sendRaw(packet, transport.tuple.localPort);
		},
	};
	voices.push(created);
	return created;
}

async function levels(...watched) {
	const observer = await ctx.router.createAudioLevelObserver({ maxEntries: 2, threshold: -70, interval: 250 });
	const reported = [];
	observer.on('volumes', list => reported.push(Object.fromEntries(list.map(({ producer, volume }) => [producer.id, volume]))));
	observer.on('silence', () => reported.push('silence'));
	for (const { producer } of watched) {
		await observer.addProducer({ producerId: producer.id });
	}
	return { observer, reported };
}

for (const how of ['plain', 'direct']) {
	test(`volumes and silence over ${how} transports`, async () => {
		const [loud, low, quiet] = [await voice(how), await voice(how), await voice(how)];
		const { reported } = await levels(loud, low, quiet);
		Object.assign(loud, { level: 20 });
		Object.assign(low, { level: 50 });
		Object.assign(quiet, { level: 90 });
		await until('both volumes', () => reported.at(-1)?.[low.producer.id] === -50 && reported.at(-1)?.[loud.producer.id] === -20);
		assert.equal(reported.some(entry => quiet.producer.id in Object(entry)), false);
		assert.deepEqual(Object.keys(reported.at(-1)), [loud.producer.id, low.producer.id], 'the loudest first');
		// The list has two entries: the lower one makes room.
		quiet.level = 10;
		await until('the loudest two', () => reported.at(-1)[quiet.producer.id] === -10 && reported.at(-1)[loud.producer.id] === -20);
		assert.equal(Object.keys(reported.at(-1)).length, 2);
		voices.forEach(v => Object.assign(v, { level: undefined }));
		await until('silence', () => reported.at(-1) === 'silence');
		loud.level = 30;
		await until('loud again', () => reported.at(-1)[loud.producer.id] === -30);
		assert.equal(reported.some((entry, i) => entry === 'silence' && reported[i + 1] === 'silence'), false, 'each silence is reported once');
	});
}

test('paused and removed producers and closed ones fall silent', async () => {
	const [a, b, c] = [await voice('plain'), await voice('direct'), await voice('plain')];
	const { observer, reported } = await levels(a, b);
	const only = (v, volume) => until(`${volume} alone`, () => JSON.stringify(reported.at(-1)) === JSON.stringify({ [v.producer.id]: volume }));
	a.level = 10;
	b.level = 20;
	c.level = 5;
	await until('both', () => Object.keys(reported.at(-1) ?? {}).length === 2);
	await a.producer.pause();
	await only(b, -20);
	await a.producer.resume();
	await until('both again', () => Object.keys(reported.at(-1)).length === 2);
	await observer.removeProducer({ producerId: b.producer.id });
	await only(a, -10);
	await observer.addProducer({ producerId: c.producer.id });
	await until('the new one', () => reported.at(-1)[c.producer.id] === -5);
	a.producer.close();
	await only(c, -5);
	c.transport.close();
	await until('silence', () => reported.at(-1) === 'silence');
	assert.deepEqual((await ctx.router.dump()).mapProducerIdObserverIds.map(({ values }) => values), [[]]);
});

test('a paused observer reports only silence', async () => {
	const a = await voice('plain');
	const { observer, reported } = await levels(a);
	a.level = 10;
	await until('volumes', () => reported.at(-1)?.[a.producer.id] === -10);
	await observer.pause();
	await ctx.allEvents();
	assert.equal(reported.at(-1), 'silence');
	const before = reported.length;
	// A second observer, which is not paused, shows that intervals pass.
	const second = await levels(a);
	await until('two intervals', () => second.reported.length >= 2);
	assert.equal(reported.length, before);
	await observer.resume();
	await until('volumes again', () => reported.at(-1)?.[a.producer.id] === -10);
	observer.close();
	assert.deepEqual((await ctx.router.dump()).rtpObserverIds, [second.observer.id]);
});

test('video has no loudness', async () => {
	const { producer } = await ctx.source(videoProducer());
	const { observer } = await levels();
	await assert.rejects(observer.addProducer({ producerId: producer.id }), TypeError);
	const speakers = await ctx.router.createActiveSpeakerObserver({ interval: 100 });
	await assert.rejects(speakers.addProducer({ producerId: producer.id }), TypeError);
});

for (const how of ['plain', 'direct']) {
	test(`the active speaker is reported over ${how} transports`, async () => {
		const people = [await voice(how), await voice(how), await voice(how)];
		const observer = await ctx.router.createActiveSpeakerObserver({ interval: 100 });
		const floor = [];
		observer.on('dominantspeaker', ({ producer }) => floor.push(people.findIndex(person => person.producer.id === producer.id)));
		people.forEach(person => Object.assign(person, { level: 100 }));
		for (const { producer } of people) {
			await observer.addProducer({ producerId: producer.id });
		}
		await until('an active speaker', () => floor.length > 0);
		for (const speaking of [1, 2, 0]) {
			people.forEach((person, i) => Object.assign(person, { level: i === speaking ? 10 : 100 }));
			await until(`${speaking} is the active speaker`, () => floor.at(-1) === speaking);
		}
		floor.forEach((speaker, i) => assert.notEqual(speaker, floor[i - 1], 'reported only when it changes'));
		// When the active speaker leaves, another one is reported.
		people[0].producer.close();
		await until('another active speaker', () => floor.at(-1) !== 0);
	});
}
