// What a page shows behind a link that becomes narrow, wide again, or loses packets: the figures are printed, and only loose bounds
// are checked, since they depend on the machine. LINKS=all adds the plans of links that lose packets or stand; another value is a
// regular expression: the plans whose names match it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MICROPHONE, useBrowser } from '../lib/fixture.js';
import { play, shape, table } from '../lib/link.js';
import { until } from '../lib/wait.js';

const ctx = useBrowser();
const SOURCE = { type: 'camera', width: 1280, height: 720, frameRate: 20 };
const SVC = { mimeType: 'video/VP9', encodings: [{ scalabilityMode: 'L3T3_KEY', maxBitrate: 1_600_000 }] };
const SIMULCAST = {
	mimeType: 'video/VP8', encodings: [
		{ rid: 'r0', scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode: 'L1T3' },
		{ rid: 'r1', scaleResolutionDownBy: 2, maxBitrate: 400_000, scalabilityMode: 'L1T3' },
		{ rid: 'r2', scaleResolutionDownBy: 1, maxBitrate: 1_200_000, scalabilityMode: 'L1T3' },
	],
};

// wide is where every plan begins: nothing limits the link until the largest picture is there.
const wide = { name: 'wide', seconds: 5 };

const PLANS = [
	{
		name: 'VP9 L3T3_KEY, 2 M, 600 k, 200 k, 2 M', media: SVC,
		phases: [
			{ name: '2 M', seconds: 10, kbps: 2000 },
			{ name: '→ 600 k', seconds: 15, kbps: 600 },
			{ name: '→ 200 k', seconds: 12, kbps: 200 },
			{ name: '→ 2 M', seconds: 15, kbps: 2000, height: 720 },
		],
	},
	{
		name: 'VP8 simulcast, 3 M, 600 k, 300 k, 3 M', media: SIMULCAST,
		phases: [
			{ name: '3 M', seconds: 10, kbps: 3000 },
			{ name: '→ 600 k', seconds: 12, kbps: 600 },
			{ name: '→ 300 k', seconds: 12, kbps: 300 },
			{ name: '→ 3 M', seconds: 15, kbps: 3000, height: 720 },
		],
	},
	{
		name: 'VP8 simulcast and sound, suddenly 500 k', media: SIMULCAST, sound: true,
		phases: [wide, { name: '→ 500 k', seconds: 40, kbps: 500 }],
	},
	{
		name: 'VP9 L3T3_KEY, 2 M, random loss', media: SVC, long: true,
		phases: [0, 2, 5, 10].map(percent => ({ name: `${percent} % lost`, seconds: 15, kbps: 2000, loss: percent / 100 })),
	},
	{
		name: 'VP9 L3T3_KEY, 2 M, all lost for 200 ms every 5 s', media: SVC, long: true,
		phases: [{ name: '2 M', seconds: 5, kbps: 2000 }, { name: 'bursts', seconds: 30, kbps: 2000, bursts: true }],
	},
	{
		name: 'VP9 L3T3_KEY, 2 M, a link that stands for 10 s', media: SVC, long: true,
		phases: [{ name: '2 M', seconds: 5, kbps: 2000 }, { name: 'stands', seconds: 10, kbps: 2000, cut: 10 }, { name: 'goes on', seconds: 15, kbps: 2000, height: 720 }],
	},
];

const { LINKS } = process.env;
const isPlayed = ({ name, long }) => LINKS === undefined ? !long : LINKS === 'all' || new RegExp(LINKS).test(name);

for (const { name, media, sound, phases } of PLANS.filter(isPlayed)) {
	test(name, async () => {
		const [alice, bob] = [await ctx.join(), await ctx.join({ relayed: true })];
		shape(bob.relays.recv);
		const options = { source: SOURCE, codecOptions: { videoGoogleStartBitrate: 1500 } };
		const consumer = await bob.consume(await alice.produce({ ...options, ...media }));
		const heard = sound && await bob.consume(await alice.produce({ source: MICROPHONE, mimeType: 'audio/opus' }));
		await bob.sees('the largest picture', consumer, ({ frameHeight }) => frameHeight === 720);
		await until('all of its frames', () => consumer.currentLayers?.spatialLayer === 2 && consumer.currentLayers.temporalLayer === 2);
		const results = [];
		for (const phase of phases) {
			results.push(await play(bob, consumer, heard, phase));
		}
		console.log(`\n${name}\n\n${table(results)}\n`);
		for (const { phase, frames, longest, height } of results.filter(({ phase }) => !phase.cut)) {
			assert.ok(frames > 2, `${phase.name}: ${frames} frames a second`);
			assert.ok(longest < 8, `${phase.name}: the picture stood for ${longest} s`);
			assert.ok(!phase.height || height === phase.height, `${phase.name}: a picture of ${height} lines`);
		}
	});
}
