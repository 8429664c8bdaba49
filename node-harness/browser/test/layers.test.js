// Simulcast and SVC as Chromium sends them: the receiver's page shows the layers that the server prefers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MICROPHONE, isHealthy, isInSync, painted, useBrowser } from '../lib/fixture.js';
import { until } from '../lib/wait.js';

const ctx = useBrowser();
const WIDTHS = [240, 480, 960];
const SOURCE = painted('#00ff00', { width: 960, height: 540, frameRate: 15 });
const SIMULCAST = [
	{ rid: 'r0', scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode: 'L1T3' },
	{ rid: 'r1', scaleResolutionDownBy: 2, maxBitrate: 400_000, scalabilityMode: 'L1T3' },
	{ rid: 'r2', scaleResolutionDownBy: 1, maxBitrate: 1_200_000, scalabilityMode: 'L1T3' },
];
const svc = scalabilityMode => [{ scalabilityMode, maxBitrate: 1_500_000 }];

// begin makes one page send and another one receive the preferred layers, by default all.
async function begin(mimeType, encodings, { preferredLayers, width = 960 } = {}) {
	const [alice, bob] = [await ctx.join(), await ctx.join()];
	const producer = await alice.produce({ source: SOURCE, mimeType, encodings, codecOptions: { videoGoogleStartBitrate: 1500 } });
	const consumer = await bob.consume(producer, { preferredLayers });
	await bob.sees(`a picture of width ${width}`, consumer, ({ frameWidth }) => frameWidth === width);
	return { alice, bob, producer, consumer };
}

// prefers sets layers and waits for a picture of that size.
async function prefers({ bob, consumer }, spatialLayer, temporalLayer) {
	await consumer.setPreferredLayers({ spatialLayer, temporalLayer });
	const stats = await bob.sees(`a picture of layer ${spatialLayer}`, consumer, ({ frameWidth }) => frameWidth === WIDTHS[spatialLayer]);
	await until('the application is notified', () => consumer.currentLayers?.spatialLayer === spatialLayer);
	return stats;
}

// share returns the fraction of the sender's next thirty frames that is decoded.
async function share({ alice, bob, producer, consumer }) {
	const made = async () => (await alice.call('producerStats', producer.id)).find(({ type }) => type === 'media-source').frames;
	const [from, decodedFrom] = [await made(), (await bob.stats(consumer)).framesDecoded];
	const to = await until('thirty pictures', async () => {
		const to = await made();
		return to >= from + 30 ? to : undefined;
	});
	return ((await bob.stats(consumer)).framesDecoded - decodedFrom) / (to - from);
}

async function switchesSpatialLayers(mimeType, encodings, type) {
	const call = await begin(mimeType, encodings);
	assert.equal(call.consumer.type, type);
	for (const layer of [0, 2, 1, 0, 1, 2]) {
		await prefers(call, layer);
	}
	const stats = await call.bob.stats(call.consumer);
	isHealthy(stats);
	const row = (await call.consumer.getStats()).find(({ type }) => type === 'outbound-rtp');
	assert.equal(row.packetsLost, 0);
	assert.equal(row.score, 10);
	return call;
}

async function switchesTemporalLayers(mimeType, encodings, spatialLayer, width = WIDTHS[spatialLayer]) {
	const call = await begin(mimeType, encodings, { preferredLayers: { spatialLayer, temporalLayer: 2 }, width });
	await until('most frames', async () => await share(call) > 0.7);
	await call.consumer.setPreferredLayers({ spatialLayer, temporalLayer: 0 });
	await until('few frames', async () => await share(call) < 0.4);
	await call.consumer.setPreferredLayers({ spatialLayer, temporalLayer: 2 });
	await until('most frames', async () => await share(call) > 0.7);
	isHealthy(await call.bob.stats(call.consumer));
}

test('VP8 simulcast: spatial layers', async () => {
	const { producer } = await switchesSpatialLayers('video/VP8', SIMULCAST, 'simulcast');
	assert.deepEqual(producer.score.map(({ rid, score }) => [rid, score]), [['r0', 10], ['r1', 10], ['r2', 10]]);
	const rows = await producer.getStats();
	assert.deepEqual(rows.map(({ rid }) => rid).sort(), ['r0', 'r1', 'r2']);
	rows.forEach(({ rid, packetsLost, pliCount }) => {
		assert.equal(packetsLost, 0, rid);
		assert.ok(pliCount <= 6, `${rid}: ${pliCount} PLIs`);
	});
});

for (const [name, mimeType, encodings] of [['VP8 simulcast', 'video/VP8', SIMULCAST], ['VP9 L3T3_KEY', 'video/VP9', svc('L3T3_KEY')]]) {
	test(`${name}: layers are preferred while the consumer is paused, others join late`, async () => {
		const call = await begin(mimeType, encodings);
		await call.consumer.pause();
		await call.consumer.setPreferredLayers({ spatialLayer: 0, temporalLayer: 2 });
		await call.consumer.resume();
		await call.bob.sees('the smallest picture', call.consumer, ({ frameWidth }) => frameWidth === WIDTHS[0]);
		const late = await Promise.all(WIDTHS.map((_, spatialLayer) => call.bob.consume(call.producer, { preferredLayers: { spatialLayer, temporalLayer: 2 } })));
		await Promise.all(late.map((consumer, layer) => call.bob.sees(`layer ${layer}`, consumer,
			({ frameWidth, framesDecoded }) => frameWidth === WIDTHS[layer] && framesDecoded > 10)));
		for (const consumer of [call.consumer, ...late]) {
			isHealthy(await call.bob.stats(consumer));
		}
	});
}

test('VP8 simulcast: the sender stops and restarts its upper streams', async () => {
	const { alice, bob, producer, consumer } = await begin('video/VP8', SIMULCAST);
	await alice.call('setMaxSpatialLayer', producer.id, 0);
	await bob.sees('the smallest picture', consumer, ({ frameWidth }) => frameWidth === WIDTHS[0]);
	await alice.call('setMaxSpatialLayer', producer.id, 2);
	await bob.sees('the largest picture', consumer, ({ frameWidth }) => frameWidth === WIDTHS[2]);
});

test('VP8 simulcast: sound and picture stay in sync when layers change', async () => {
	const call = await begin('video/VP8', SIMULCAST);
	const sound = await call.bob.consume(await call.alice.produce({ source: MICROPHONE, mimeType: 'audio/opus' }));
	for (const layer of [0, 2, 1]) {
		await prefers(call, layer);
		await isInSync(call.bob, sound, call.consumer);
	}
});

test('H264 simulcast: spatial layers', () => switchesSpatialLayers('video/H264', SIMULCAST, 'simulcast'));
test('VP9 L3T3_KEY: spatial layers', () => switchesSpatialLayers('video/VP9', svc('L3T3_KEY'), 'svc'));
test('VP9 L3T3: spatial layers', () => switchesSpatialLayers('video/VP9', svc('L3T3'), 'svc'));

test('VP8 simulcast: temporal layers', () => switchesTemporalLayers('video/VP8', SIMULCAST, 1));
test('VP9 L3T3: temporal layers', () => switchesTemporalLayers('video/VP9', svc('L3T3'), 2));
test('VP9 L3T3_KEY: temporal layers', () => switchesTemporalLayers('video/VP9', svc('L3T3_KEY'), 1));
test('AV1 L1T3: temporal layers', () => switchesTemporalLayers('video/AV1', svc('L1T3'), 0, 960));

// Chromium decodes AV1 of more than one spatial layer with the help of dependency descriptors only, and mediasoup announces
// these to senders but not to receivers: only the lowest spatial layer can be shown.
for (const mode of ['L3T3', 'L3T3_KEY']) {
	test(`AV1 ${mode}: temporal layers of the lowest spatial layer`, () => switchesTemporalLayers('video/AV1', svc(mode), 0));
}
