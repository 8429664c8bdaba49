// A page that receives from one host after another: the application makes it a transport on the next node while the one before
// still carries the picture, as it does when a node drains. scripts/hosts-test.sh runs it, where there are such hosts.
import assert from 'node:assert/strict';
import * as path from 'node:path';
import { test } from 'node:test';
import { MICROPHONE, isClose, painted, useBrowser } from '../lib/fixture.js';
import { until } from '../lib/wait.js';

const NODES = process.env.GAZPACHO_CLUSTER.split(',').map(address => address.split(':')[0]);
const SCREENSHOTS = process.env.SCREENSHOTS;
const FRAMES = 60; // that are decoded on each node
const LISTEN = { listenInfos: [{ protocol: 'udp', ip: '0.0.0.0' }] };
const SIMULCAST = [
	{ rid: 'r0', scaleResolutionDownBy: 2, maxBitrate: 150_000, scalabilityMode: 'L1T1' },
	{ rid: 'r1', scaleResolutionDownBy: 1, maxBitrate: 600_000, scalabilityMode: 'L1T1' },
];
const ctx = useBrowser();

const nodeOf = transport => transport.iceCandidates[0].address;

// transportOn makes transports until one is on the wanted node, and closes the others.
async function transportOn(node) {
	const made = [];
	const found = await until(`a transport on ${node}`, async () => {
		made.push(await ctx.router.createWebRtcTransport(LISTEN));
		return made.find(transport => nodeOf(transport) === node);
	});
	made.filter(transport => transport !== found).forEach(transport => transport.close());
	return found;
}

// moveTo makes a page receive on a node, and closes the transport that it had before when the new picture is there.
async function moveTo(node, page, producers, before) {
	const transport = await transportOn(node);
	await page.use('recv', transport);
	const [picture, sound] = [await page.consume(producers.picture), await page.consume(producers.sound)];
	await page.sees(`the first picture from ${node}`, picture, ({ framesDecoded }) => framesDecoded > 0);
	if (before) {
		await page.call('closeTransport', before.id);
		before.close();
	}
	return { transport, picture, sound };
}

for (const [name, encodings] of [['one stream', undefined], ['simulcast', SIMULCAST]]) {
	test(`a page receives from one node after another, ${name}, without a freeze`, async () => {
		const [alice, bob] = [await ctx.join({ transportOptions: LISTEN }), await ctx.join({ transportOptions: LISTEN })];
		const producers = {
			picture: await alice.produce({ source: painted('#00ff00', { width: 480, height: 270 }), mimeType: 'video/VP8', encodings }),
			sound: await alice.produce({ source: MICROPHONE, mimeType: 'audio/opus' }),
		};
		// A second consumer on the page stays where it is. When the machine is too busy for the browser, both freeze.
		const steady = await bob.consume(producers.picture);
		await bob.sees('the steady picture', steady, ({ framesDecoded }) => framesDecoded > 0);
		let transport;
		for (const node of [...NODES, NODES[0]]) {
			const before = await bob.stats(steady);
			const { picture, sound, ...moved } = await moveTo(node, bob, producers, transport);
			transport = moved.transport;
			const stats = await bob.sees(`${FRAMES} frames`, picture, ({ framesDecoded }) => framesDecoded >= FRAMES);
			const { framesDecoded, keyFramesDecoded, freezeCount, packetsLost, frameWidth } = stats;
			const frozen = (await bob.stats(steady)).freezeCount - before.freezeCount;
			console.log(`${name}, from ${node}: ${framesDecoded} frames decoded, ${keyFramesDecoded} of them key frames, width ${frameWidth}, ` +
				`${freezeCount} freezes (${frozen} where nothing moved), ${packetsLost} packets lost`);
			assert.ok(freezeCount <= frozen, `${freezeCount} freezes, ${frozen} where nothing moved`);
			assert.equal(packetsLost, 0);
			assert.ok(isClose(await bob.call('color', picture.id), [0, 255, 0]), 'the picture is not the one that was sent');
			assert.ok(await bob.call('loudness', sound.id) > 0.01, 'there is no sound');
			await bob.page.screenshot({ path: path.join(SCREENSHOTS, `${name.replace(' ', '-')}-from-${node}.png`) });
		}
	});
}
