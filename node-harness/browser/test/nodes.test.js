// A page that receives from a node which is killed, or started again: it notices, the application makes it a transport on a node that is
// there, and it has its picture again. What that takes is printed.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { isClose, painted, useBrowser } from '../lib/fixture.js';
import { until } from '../lib/wait.js';
import { createCertificates, killNode, nodeStatus, startNode } from '../../lib/nodes.js';

const ADDRESSES = { a: '127.0.1.1', b: '127.0.1.2' };
const LISTEN = { listenInfos: [{ protocol: 'udp', ip: '0.0.0.0' }] };
const PICTURE = { source: painted('#00ff00'), mimeType: 'video/VP8' };

let folder;
let nodes;
before(() => {
	folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nodes-'));
	createCertificates(path.join(folder, 'tls'), Object.keys(ADDRESSES));
});
after(() => fs.rmSync(folder, { recursive: true }));

const tls = () => path.join(folder, 'tls');
const start = (name, port) => startNode(name, ADDRESSES[name], tls(), folder, port);

// Before the application's worker, which is told of them.
beforeEach(async () => {
	nodes = await Promise.all(Object.keys(ADDRESSES).map(name => start(name)));
	Object.assign(process.env, {
		GAZPACHO_CLUSTER: nodes.map(({ address }) => address).join(','), GAZPACHO_TLS_DIR: tls(), GAZPACHO_PLACEMENT: 'spread',
	});
});
const ctx = useBrowser();
afterEach(() => Promise.all(nodes.map(node => node.child.exitCode === null && node.child.signalCode === null && killNode(node))));

const serving = async () => (await nodeStatus(nodes, tls())).every(({ fronts }) => fronts.some(({ connected }) => connected));
const nodeOf = transport => nodes.find(({ ip }) => ip === transport.iceCandidates[0].address);
const seconds = (from, to) => `${((to - from) / 1000).toFixed(1)} s`;

async function restart(node) {
	await killNode(node);
	Object.assign(node, await start(node.name, node.address.split(':')[1]));
}

// told resolves with the time when the library tells the application that a transport is gone.
const told = transport => new Promise(resolve => {
	transport.on('dtlsstatechange', state => state === 'closed' && resolve(Date.now()));
});

// getPicture has a page receive a picture over its present transport, and resolves with the time of the first frame.
async function getPicture(page, producer) {
	const consumer = await page.consume(producer);
	await page.sees('the picture', consumer, ({ framesDecoded }) => framesDecoded > 0);
	const at = Date.now();
	await until('the colour that is sent', async () => isClose(await page.call('color', consumer.id), [0, 255, 0]));
	return at;
}

for (const [what, hit] of [['killed', killNode], ['started again', restart]]) {
	for (const by of ['page', 'application']) {
		test(`a node is ${what}: the ${by} notices, and the page has its picture again`, async () => {
			await until('both nodes serve the application', serving);
			const [alice, bob] = [await ctx.join({ transportOptions: LISTEN }), await ctx.join({ transportOptions: LISTEN })];
			const node = nodeOf(bob.recv);
			assert.notEqual(nodeOf(alice.send), node, 'the picture comes from another node');
			const producer = await alice.produce(PICTURE);
			await getPicture(bob, producer);

			const heard = told(bob.recv);
			const notice = by === 'page' ? bob.call('lost', 'recv') : heard;
			const begin = Date.now();
			await hit(node);
			const noticed = await notice;
			const before = bob.recv;
			await bob.use('recv', await ctx.router.createWebRtcTransport(LISTEN));
			const again = await getPicture(bob, producer);
			before.close();
			await bob.call('closeTransport', before.id);
			console.log(`node ${what}: the ${by} noticed after ${seconds(begin, noticed)}, ` +
				`the picture was there ${seconds(noticed, again)} later, from ${nodeOf(bob.recv) === node ? 'the same node' : 'the other node'}`);
			await heard; // the application is told in any case
			assert.equal(ctx.worker.died, false);
		});
	}
}
