// Bandwidth estimation with the browser as the other end: the worker's feedback limits what Chromium sends, and Chromium's
// feedback decides which layers the worker sends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHealthy, useBrowser } from '../lib/fixture.js';
import { until } from '../lib/wait.js';

const ctx = useBrowser();
const BUSY = { type: 'busy', width: 320, height: 180, frameRate: 15 };
const ENCODINGS = [{ maxBitrate: 1_200_000 }];
const TRANSPORT_CC = /transport-wide-cc/;

// withREMB returns a router's capabilities without transport-wide feedback.
const withREMB = ({ codecs, headerExtensions }) => ({
	codecs: codecs.map(codec => ({ ...codec, rtcpFeedback: codec.rtcpFeedback.filter(({ type }) => type !== 'transport-cc') })),
	headerExtensions: headerExtensions.filter(({ uri }) => !TRANSPORT_CC.test(uri)),
});

async function pairStats(participant, direction) {
	const rows = await participant.call('stats', direction);
	const { selectedCandidatePairId } = rows.find(({ type }) => type === 'transport');
	return rows.find(({ id }) => id === selectedCandidatePairId);
}

// sends waits until the bitrate that a page sends for a producer, over a second, is within bounds in bits per second.
async function sends(what, participant, producer, isWithin) {
	const row = async () => (await participant.call('producerStats', producer.id)).find(({ type }) => type === 'outbound-rtp');
	let before = await row();
	return until(what, async () => {
		const now = await row();
		if (now.timestamp - before.timestamp < 1000) {
			return undefined;
		}
		const bitrate = (now.bytesSent - before.bytesSent) * 8000 / (now.timestamp - before.timestamp);
		before = now;
		return isWithin(bitrate) ? bitrate : undefined;
	});
}

for (const [name, capabilities] of [['transport-wide feedback', undefined], ['REMB', withREMB]]) {
	test(`a limit of what a page may send, with ${name}`, async () => {
		const options = { capabilities: capabilities?.(ctx.router.rtpCapabilities) };
		const [alice, bob] = [await ctx.join(options), await ctx.join(options)];
		const producer = await alice.produce({ source: BUSY, mimeType: 'video/VP8', encodings: ENCODINGS });
		assert.equal(producer.rtpParameters.headerExtensions.some(({ uri }) => TRANSPORT_CC.test(uri)), !capabilities);
		const consumer = await bob.consume(producer);
		await sends('more than 800 kbit/s', alice, producer, bitrate => bitrate > 800_000);
		await alice.send.setMaxIncomingBitrate(300_000);
		await sends('less than 330 kbit/s', alice, producer, bitrate => bitrate < 330_000);
		const { availableOutgoingBitrate } = await pairStats(alice, 'send');
		assert.ok(availableOutgoingBitrate <= 300_000, `Chromium believes in ${availableOutgoingBitrate} bit/s`);
		await alice.send.setMaxIncomingBitrate(0);
		await sends('more than 800 kbit/s again', alice, producer, bitrate => bitrate > 800_000);
		isHealthy(await bob.stats(consumer));
	});

	test(`an estimate of what a page may be sent, with ${name}`, async () => {
		const options = { capabilities: capabilities?.(ctx.router.rtpCapabilities), transportOptions: { initialAvailableOutgoingBitrate: 400_000 } };
		const [alice, bob] = [await ctx.join(options), await ctx.join(options)];
		const consumer = await bob.consume(await alice.produce({ source: BUSY, mimeType: 'video/VP8', encodings: ENCODINGS }));
		const stats = await until('an estimate above the picture\'s bitrate', async () => {
			const [stats] = await bob.recv.getStats();
			return stats.availableOutgoingBitrate > 1_200_000 ? stats : undefined;
		});
		assert.ok(stats.availableOutgoingBitrate < 1_000_000_000);
		assert.equal(stats.rtpPacketLossSent ?? 0, 0);
		isHealthy(await bob.sees('20 frames', consumer, ({ framesDecoded }) => framesDecoded >= 20));
	});
}

const simulcast = () => ({
	source: { ...BUSY, width: 640, height: 360, frameRate: 10 }, mimeType: 'video/VP8', codecOptions: { videoGoogleStartBitrate: 1500 },
	encodings: [
		{ rid: 'r0', scaleResolutionDownBy: 2, maxBitrate: 120_000, scalabilityMode: 'L1T3' },
		{ rid: 'r1', scaleResolutionDownBy: 1, maxBitrate: 700_000, scalabilityMode: 'L1T3' },
	],
});

// shows waits for a picture of the wanted width.
const shows = (participant, consumer, isWanted) => participant.sees('another size', consumer, ({ frameWidth }) => isWanted(frameWidth));

test('a limit of what a page may be sent takes layers away, and lifting it gives them back', async () => {
	const [alice, bob] = [await ctx.join(), await ctx.join()];
	const consumer = await bob.consume(await alice.produce(simulcast()));
	await shows(bob, consumer, width => width === 640);
	await bob.recv.setMaxOutgoingBitrate(200_000);
	await shows(bob, consumer, width => width === 320);
	assert.ok((await bob.recv.getStats())[0].availableOutgoingBitrate <= 200_000);
	await bob.recv.setMaxOutgoingBitrate(0);
	const { packetsLost } = await shows(bob, consumer, width => width === 640);
	// When layers change in the middle of a frame, one sequence number is skipped, so that the receiver drops the frame.
	assert.ok(packetsLost <= 3, `${packetsLost} packets lost`);
});

test('the consumer of higher priority keeps its layers when bandwidth is short', async () => {
	const [alice, bob] = [await ctx.join(), await ctx.join()];
	const producer = await alice.produce(simulcast());
	const [important, other] = [await bob.consume(producer), await bob.consume(producer)];
	await important.setPriority(10);
	for (const consumer of [important, other]) {
		await shows(bob, consumer, width => width === 640);
	}
	const largest = await until('a steady bitrate', async () => {
		const { bitrate } = (await producer.getStats()).find(({ rid }) => rid === 'r1');
		return bitrate > 400_000 ? bitrate : undefined;
	});
	await bob.recv.setMaxOutgoingBitrate(Math.round(largest * 1.3));
	await shows(bob, other, width => width < 640);
	assert.equal((await bob.stats(important)).frameWidth, 640);
	await bob.recv.setMaxOutgoingBitrate(0);
	await shows(bob, other, width => width === 640);
});
