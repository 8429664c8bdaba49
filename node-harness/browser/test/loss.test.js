// Calls over a network that loses packets: retransmission repairs both directions, with the browser as receiver and as sender.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MICROPHONE, useBrowser } from '../lib/fixture.js';
import { until } from '../lib/wait.js';

const ctx = useBrowser();
const BUSY = { type: 'busy', width: 320, height: 180, frameRate: 15 };
const DROP_EVERY = 10;

async function call() {
	const [alice, bob] = [await ctx.join({ relayed: true }), await ctx.join({ relayed: true })];
	const producer = await alice.produce({ source: BUSY, mimeType: 'video/VP8', encodings: [{ maxBitrate: 500_000 }] });
	const consumer = await bob.consume(producer);
	await bob.sees('a picture', consumer, ({ framesDecoded }) => framesDecoded > 10);
	return { alice, bob, producer, consumer };
}

test('the browser requests missing packets from the worker', async () => {
	const { bob, producer, consumer } = await call();
	const { down } = bob.relays.recv;
	down.dropEvery = DROP_EVERY;
	const stats = await bob.sees('40 repaired packets', consumer, ({ retransmittedPacketsReceived }) => retransmittedPacketsReceived >= 40);
	assert.ok(down.dropped >= 40);
	assert.ok(stats.pliCount <= 1, `${stats.pliCount} PLIs`);
	const row = (await consumer.getStats()).find(({ type }) => type === 'outbound-rtp');
	assert.ok(row.packetsRepaired >= 40, `${row.packetsRepaired} packets repaired`);
	assert.ok(row.packetsRetransmitted < 2 * row.nackPacketCount, `${row.packetsRetransmitted} packets retransmitted`);
	const received = (await producer.getStats())[0];
	assert.equal(received.packetsLost, 0);
	down.dropEvery = 0;
	const { framesDecoded } = await bob.stats(consumer);
	await bob.sees('a picture that goes on', consumer, stats => stats.framesDecoded > framesDecoded + 20);
});

test('the worker requests missing packets from the browser', async () => {
	const { alice, bob, producer, consumer } = await call();
	const { up } = alice.relays.send;
	up.dropEvery = DROP_EVERY;
	const row = await until('40 repaired packets', async () => {
		const [row] = await producer.getStats();
		return row.packetsRepaired >= 40 ? row : undefined;
	});
	assert.ok(row.nackPacketCount >= 40);
	assert.ok(row.pliCount <= 3, `${row.pliCount} PLIs`);
	up.dropEvery = 0;
	const { framesDecoded } = await bob.stats(consumer);
	await bob.sees('a picture that goes on', consumer, stats => stats.framesDecoded > framesDecoded + 20);
	await until('a full score', () => producer.score[0].score === 10);
});

test('layers are dropped when a link becomes narrow, and come back when it is wide again', async () => {
	const [alice, bob] = [await ctx.join(), await ctx.join({ relayed: true })];
	const producer = await alice.produce({
		source: { ...BUSY, width: 640, height: 360 }, mimeType: 'video/VP8', codecOptions: { videoGoogleStartBitrate: 1500 },
		encodings: [
			{ rid: 'r0', scaleResolutionDownBy: 2, maxBitrate: 120_000, scalabilityMode: 'L1T3' },
			{ rid: 'r1', scaleResolutionDownBy: 1, maxBitrate: 900_000, scalabilityMode: 'L1T3' },
		],
	});
	const consumer = await bob.consume(producer);
	const sound = await bob.consume(await alice.produce({ source: MICROPHONE, mimeType: 'audio/opus' }));
	const shows = width => bob.sees(`a picture of width ${width}`, consumer, ({ frameWidth }) => frameWidth === width);
	await shows(640);
	await until('the largest stream is sent', async () => (await producer.getStats()).some(({ bitrate }) => bitrate > 500_000));
	bob.relays.recv.down.kbps = 300;
	await shows(320);
	assert.ok((await bob.recv.getStats())[0].availableOutgoingBitrate < 500_000);
	bob.relays.recv.down.kbps = 0;
	await shows(640);
	const { packetsReceived } = await bob.stats(sound);
	await bob.sees('sound', sound, stats => stats.packetsReceived > packetsReceived + 50);
});
