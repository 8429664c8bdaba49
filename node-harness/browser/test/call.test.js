// Audio and video between two pages, and what an application does to them during a call.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CAMERA, MICROPHONE, isClose, isHealthy, isInSync, painted, useBrowser } from '../lib/fixture.js';
import { until } from '../lib/wait.js';

const ctx = useBrowser();
const VP8 = 'video/VP8';
const VIDEO = ['video/VP8', 'video/VP9', 'video/H264', 'video/AV1'];
const OPUS = 'audio/opus';
const TONE = 0.1;

// shows waits until a participant's page shows a colour.
const shows = (participant, consumer, color) => until(`a picture of ${color}`,
	async () => isClose(await participant.call('color', consumer.id), color));

// hears waits until the page receives a tone of the fake microphone, which sounds twice a second.
const hears = (participant, consumer) => until('a tone',
	async () => await participant.call('loudness', consumer.id) > TONE);

// isStill waits until no more packets of a consumer arrive; some may still be in flight.
const isStill = async (participant, consumer) => {
	let last = -1;
	await until('no more packets', async () => {
		const { packetsReceived } = await participant.stats(consumer);
		const still = packetsReceived === last;
		last = packetsReceived;
		return still;
	}, { interval: 400 });
	return last;
};

test('sound both ways', async () => {
	const [alice, bob] = [await ctx.join(), await ctx.join()];
	const fromAlice = await bob.consume(await alice.produce({ source: MICROPHONE, mimeType: OPUS }));
	const fromBob = await alice.consume(await bob.produce({ source: MICROPHONE, mimeType: OPUS }));
	await hears(bob, fromAlice);
	await hears(alice, fromBob);
	for (const [participant, consumer] of [[bob, fromAlice], [alice, fromBob]]) {
		const stats = await participant.sees('100 packets', consumer, ({ packetsReceived }) => packetsReceived > 100);
		assert.equal(stats.packetsLost, 0);
		assert.equal(stats.packetsDiscarded, 0);
		await until('a full score', async () => consumer.score.score === 10 && consumer.score.producerScore === 10);
	}
});

for (const mimeType of VIDEO) {
	test(`pictures both ways, with ${mimeType}`, async () => {
		const [alice, bob] = [await ctx.join(), await ctx.join()];
		const produced = await alice.produce({ source: painted('#ff0000'), mimeType });
		const fromAlice = await bob.consume(produced);
		const fromBob = await alice.consume(await bob.produce({ source: painted('#0000ff'), mimeType }));
		await shows(bob, fromAlice, [255, 0, 0]);
		await shows(alice, fromBob, [0, 0, 255]);
		const stats = await bob.sees('50 frames', fromAlice, ({ framesDecoded }) => framesDecoded >= 50);
		isHealthy(stats);
		assert.equal(stats.frameWidth, 320);
		assert.equal(stats.frameHeight, 180);
		assert.ok(stats.keyFramesDecoded <= 3, `${stats.keyFramesDecoded} key frames`);

		const [sent] = await fromAlice.getStats();
		assert.equal(sent.mimeType, mimeType);
		assert.equal(sent.score, 10);
		assert.equal(sent.packetsLost, 0);
		assert.ok(sent.packetCount >= stats.packetsReceived, `${sent.packetCount} packets sent, ${stats.packetsReceived} received`);
		assert.ok(sent.bitrate > 10_000, `${sent.bitrate} bit/s`);
		const [received] = await produced.getStats();
		assert.equal(received.score, 10);
		assert.equal(received.packetsLost, 0);
		assert.ok(received.roundTripTime > 0 && received.roundTripTime < 1000, `${received.roundTripTime} ms`);
		assert.ok(received.pliCount <= 5, `${received.pliCount} PLIs sent to the browser`);
	});
}

test('the fake camera and the fake microphone arrive in sync', async () => {
	const [alice, bob] = [await ctx.join(), await ctx.join()];
	const picture = await bob.consume(await alice.produce({ source: CAMERA, mimeType: VP8 }));
	const sound = await bob.consume(await alice.produce({ source: MICROPHONE, mimeType: OPUS }));
	await hears(bob, sound);
	await isInSync(bob, sound, picture);
	isHealthy(await bob.stats(picture));
});

test('a producer is paused and resumed', async () => {
	const [alice, bob] = [await ctx.join(), await ctx.join()];
	const producer = await alice.produce({ source: painted('#00ff00'), mimeType: VP8 });
	const consumer = await bob.consume(producer);
	await shows(bob, consumer, [0, 255, 0]);
	await producer.pause();
	await until('the consumer is notified', () => consumer.producerPaused);
	await isStill(bob, consumer);
	const before = await bob.stats(consumer);
	await alice.call('replaceTrack', producer.id, painted('#ff00ff'));
	await producer.resume();
	await shows(bob, consumer, [255, 0, 255]);
	const after = await bob.stats(consumer);
	assert.ok(after.framesDecoded > before.framesDecoded);
	isHealthy(after);
});

test('a page pauses its producer and resumes it', async () => {
	const [alice, bob] = [await ctx.join(), await ctx.join()];
	const producer = await alice.produce({ source: painted('#00ff00'), mimeType: VP8 });
	const consumer = await bob.consume(producer);
	await shows(bob, consumer, [0, 255, 0]);
	await alice.call('pauseProducer', producer.id);
	await producer.pause();
	await isStill(bob, consumer);
	const before = await bob.stats(consumer);
	await producer.resume();
	await alice.call('resumeProducer', producer.id);
	const after = await bob.sees('more frames', consumer, ({ framesDecoded }) => framesDecoded > before.framesDecoded + 10);
	isHealthy(after);
	await until('a full score', () => consumer.score.score === 10 && producer.score[0].score === 10);
});

test('a consumer is paused and resumed', async () => {
	const [alice, bob] = [await ctx.join(), await ctx.join()];
	const producer = await alice.produce({ source: painted('#00ff00'), mimeType: VP8 });
	const consumer = await bob.consume(producer);
	const sound = await bob.consume(await alice.produce({ source: MICROPHONE, mimeType: OPUS }));
	await shows(bob, consumer, [0, 255, 0]);
	await hears(bob, sound);
	await consumer.pause();
	await sound.pause();
	await isStill(bob, consumer);
	await isStill(bob, sound);
	await alice.call('replaceTrack', producer.id, painted('#ff00ff'));
	await consumer.resume();
	await sound.resume();
	await shows(bob, consumer, [255, 0, 255]);
	await hears(bob, sound);
	isHealthy(await bob.stats(consumer));
	assert.equal((await bob.stats(sound)).packetsLost, 0);
});

test('a track is replaced by one of another size', async () => {
	const [alice, bob] = [await ctx.join(), await ctx.join()];
	const producer = await alice.produce({ source: painted('#00ff00'), mimeType: VP8 });
	const consumer = await bob.consume(producer);
	await shows(bob, consumer, [0, 255, 0]);
	await alice.call('replaceTrack', producer.id, painted('#0000ff', { width: 640, height: 360 }));
	await shows(bob, consumer, [0, 0, 255]);
	const stats = await bob.sees('another size', consumer, ({ frameWidth }) => frameWidth === 640);
	isHealthy(stats);
});

for (const mimeType of VIDEO) {
	test(`participants who join late see a picture at once, with ${mimeType}`, () => joinLate(mimeType));
}

async function joinLate(mimeType) {
	const [alice, bob] = [await ctx.join(), await ctx.join()];
	const producer = await alice.produce({ source: painted('#00ff00'), mimeType });
	const first = await bob.consume(producer);
	await bob.sees('50 frames', first, ({ framesDecoded }) => framesDecoded >= 50);
	const before = (await producer.getStats())[0].pliCount;
	const late = await Promise.all(Array.from({ length: 4 }, () => bob.consume(producer)));
	await Promise.all(late.map(({ id }) => bob.call('firstFrame', id)));
	const after = (await producer.getStats())[0].pliCount;
	assert.ok(after - before <= 5, `${after - before} key frames were asked for`);
	isHealthy(await bob.stats(first));
	await Promise.all(late.map(async consumer => isHealthy(await bob.stats(consumer))));
}

test('consumers come and go, and the others notice nothing', async () => {
	const [alice, bob] = [await ctx.join(), await ctx.join()];
	const producer = await alice.produce({ source: painted('#00ff00'), mimeType: VP8 });
	const stays = await bob.consume(producer);
	for (let i = 0; i < 5; i++) {
		const consumer = await bob.consume(producer);
		await shows(bob, consumer, [0, 255, 0]);
		consumer.close();
		await bob.call('closeConsumer', consumer.id);
	}
	const { framesDecoded } = await bob.stats(stays);
	isHealthy(await bob.sees('more frames', stays, stats => stats.framesDecoded > framesDecoded + 20));
});
