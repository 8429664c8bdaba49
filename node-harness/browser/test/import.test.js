// Two applications, each with a worker, a certificate and a page of its own, over two nodes: each page shows what the other application's
// page sends, though neither application knows more of the other one than a producer's id.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import * as mediasoup from 'mediasoup';
import { MEDIA_CODECS, isClose, painted, useBrowser } from '../lib/fixture.js';
import { Participant } from '../lib/participant.js';
import { until } from '../lib/wait.js';
import { closeWorker } from '../../lib/fixture.js';
import { importProducer } from '../../gazpacho/import-producer.js';
import { createApplication, createCertificates, killNode, startNode } from '../../lib/nodes.js';

const ADDRESSES = { a: '127.0.4.1', b: '127.0.4.2' };
const LISTEN = { listenInfos: [{ protocol: 'udp', ip: '0.0.0.0' }] };

let folder;
let nodes;
before(async () => {
	folder = fs.mkdtempSync(path.join(os.tmpdir(), 'import-'));
	const tls = path.join(folder, 'tls');
	createCertificates(tls, Object.keys(ADDRESSES));
	createApplication(tls, 'one', 'acme');
	createApplication(tls, 'two', 'acme');
	nodes = await Promise.all(Object.entries(ADDRESSES).map(([name, ip]) => startNode(name, ip, tls, folder)));
	Object.assign(process.env, {
		GAZPACHO_CLUSTER: nodes.map(({ address }) => address).join(','), GAZPACHO_TLS_DIR: tls, GAZPACHO_PLACEMENT: 'spread',
		GAZPACHO_RUN_DIR: path.join(folder, 'run'), GAZPACHO_NAME: 'one',
	});
});
after(async () => {
	await Promise.all(nodes.map(killNode));
	fs.rmSync(folder, { recursive: true });
});

const one = useBrowser();
const two = {};
beforeEach(async () => {
	process.env.GAZPACHO_NAME = 'two';
	two.worker = await mediasoup.createWorker({ logLevel: 'warn' });
	process.env.GAZPACHO_NAME = 'one';
	two.router = await two.worker.createRouter({ mediaCodecs: [...MEDIA_CODECS].reverse() }); // so that payload types differ
});
afterEach(() => closeWorker(two.worker));

const shows = (what, page, consumer, color) => until(what, async () => isClose(await page.call('color', consumer.id), color));

test('two applications show each other their pages', async t => {
	const alice = await one.join({ transportOptions: LISTEN });
	const bob = await Participant.join(one.chromium, two.router, { transportOptions: LISTEN });
	t.after(() => bob.leave());
	const green = await alice.produce({ source: painted('#00ff00'), mimeType: 'video/VP8' });
	const red = await bob.produce({ source: painted('#ff0000'), mimeType: 'video/VP9' });

	const redHere = await importProducer(one.router, red.id);
	const greenThere = await importProducer(two.router, green.id);
	const [toAlice, toBob] = [await alice.consume(redHere), await bob.consume(greenThere)];
	await shows('red', alice, toAlice, [255, 0, 0]);
	await shows('green', bob, toBob, [0, 255, 0]);

	await green.pause();
	await until('the pause is there', () => greenThere.paused && toBob.producerPaused);
	await green.resume();
	const { framesDecoded } = await bob.stats(toBob);
	await bob.sees('the picture again', toBob, stats => stats.framesDecoded > framesDecoded);
	red.close();
	await until('the end is here', () => redHere.closed && toAlice.closed);
	assert.equal(greenThere.closed, false);
});
