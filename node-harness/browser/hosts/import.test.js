// Two applications on two hosts, whose pages show each other's pictures: each imports what the other one's page sends. The pictures go from node to
// node, and none of them to an application's host. scripts/hosts-test.sh runs it, where there are such hosts.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import * as mediasoup from 'mediasoup';
import { importProducer } from '../../gazpacho/import-producer.js';
import { closeWorker } from '../../lib/fixture.js';
import { CAMERA, MEDIA_CODECS, useBrowser } from '../lib/fixture.js';
import { Participant } from '../lib/participant.js';
import { until } from '../lib/wait.js';

const FRAMES = 100;
const LISTEN = { listenInfos: [{ protocol: 'udp', ip: '0.0.0.0' }] };
const one = useBrowser();
const two = {};

before(async () => {
	const name = process.env.GAZPACHO_NAME;
	process.env.GAZPACHO_NAME = 'second';
	two.worker = await mediasoup.createWorker({ logLevel: 'warn', workerBin: process.env.SECOND_WORKER_BIN });
	process.env.GAZPACHO_NAME = name;
	two.router = await two.worker.createRouter({ mediaCodecs: [...MEDIA_CODECS].reverse() }); // so that payload types differ
});
after(() => closeWorker(two.worker));

// trafficOf returns how many bytes have come to the network card of a host and gone from it.
function trafficOf(host) {
	const counters = execFileSync('ip', ['netns', 'exec', `gzp-${host}`, 'cat', '/proc/net/dev'], { encoding: 'utf8' });
	const [received, , , , , , , , sent] = /eth0:\s*(.*)/.exec(counters)[1].trim().split(/\s+/).map(Number);
	return received + sent;
}

test('applications on two hosts show each other their pages', async t => {
	const alice = await one.join({ transportOptions: LISTEN });
	const bob = await Participant.join(one.chromium, two.router, { transportOptions: LISTEN });
	t.after(() => bob.leave());
	const fromAlice = await alice.produce({ source: CAMERA, mimeType: 'video/VP8' });
	const fromBob = await bob.produce({ source: CAMERA, mimeType: 'video/VP9' });
	const imported = [await importProducer(one.router, fromBob.id), await importProducer(two.router, fromAlice.id)];
	const consumers = [[alice, await alice.consume(imported[0])], [bob, await bob.consume(imported[1])]];
	for (const [page, consumer] of consumers) {
		await page.sees('the first picture', consumer, ({ framesDecoded }) => framesDecoded > 0);
	}

	const before = await Promise.all(consumers.map(([page, consumer]) => page.stats(consumer)));
	const carried = { app: trafficOf('app'), peers: trafficOf('peers') };
	let media = 0;
	for (const [i, [page, consumer]] of consumers.entries()) {
		const stats = await page.sees(`${FRAMES} frames`, consumer, ({ framesDecoded }) => framesDecoded >= before[i].framesDecoded + FRAMES);
		media += stats.bytesReceived - before[i].bytesReceived;
		assert.equal(stats.packetsLost, 0);
		await page.page.screenshot({ path: path.join(process.env.SCREENSHOTS, `import-${i}.png`) });
	}
	const app = trafficOf('app') - carried.app;
	console.log(`${FRAMES} frames each way: ${media} bytes of pictures came to the pages, ${app} bytes passed the first application's host`);
	assert.ok(trafficOf('peers') - carried.peers > media, 'the pictures did not come by the network');
	assert.ok(app < media / 4, 'pictures pass an application');

	await fromAlice.pause();
	await until('the pause is there', () => imported[1].paused);
	fromBob.close();
	await until('the end is here', () => imported[0].closed);
});
