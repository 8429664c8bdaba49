// An application that knows one node of a cluster uses nodes that come later, and puts nothing new on those that drain.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import * as mediasoup from 'mediasoup';
import { closeWorker } from '../lib/fixture.js';
import { clusterStatus, createCertificates, freePorts, killNode, startBus, startNode } from '../lib/nodes.js';
import { until, within } from '../lib/wait.js';

const HOSTS = { a: '127.0.1.1', b: '127.0.1.2', bus: '127.0.1.4' };
const LISTEN = { listenInfos: [{ protocol: 'udp', ip: '0.0.0.0' }] };

let folder;
let bus;
let join;
const nodes = {};
const tls = () => path.join(folder, 'tls');

async function start(name) {
	nodes[name] = await startNode(name, HOSTS[name], tls(), folder, 0, undefined, join);
}

before(async () => {
	folder = fs.mkdtempSync(path.join(os.tmpdir(), 'cluster-'));
	createCertificates(tls(), Object.keys(HOSTS));
	const address = `${HOSTS.bus}:${await freePorts(HOSTS.bus)}`;
	bus = await startBus('bus', address, tls(), folder);
	join = ['--join', address];
	await start('a');
});
after(async () => {
	const running = [bus, ...Object.values(nodes)].filter(({ child }) => child.exitCode === null);
	await Promise.all(running.map(killNode));
	fs.rmSync(folder, { recursive: true });
});

test('nodes come and go', async t => {
	Object.assign(process.env, { GAZPACHO_CLUSTER: nodes.a.address, GAZPACHO_TLS_DIR: tls(), GAZPACHO_PLACEMENT: 'spread' });
	const worker = await mediasoup.createWorker({ logLevel: 'warn' });
	t.after(() => closeWorker(worker));
	const router = await worker.createRouter({ mediaCodecs: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 }] });
	const transports = [];
	const place = async () => {
		const transport = await router.createWebRtcTransport(LISTEN);
		transports.push(transport);
		return transport.iceCandidates[0].address;
	};
	assert.equal(await place(), HOSTS.a);

	// One that comes later is used as soon as it is there.
	await start('b');
	await until('the new node is used', async () => await place() === HOSTS.b);

	// Nothing new is put on one that drains. It ends when it is empty.
	const gazpacho = (...args) => execFileSync(process.env.GAZPACHO, [args[0], '--cluster', nodes.b.address, '--tls-dir', tls(), ...args.slice(1)]);
	const ended = new Promise(resolve => nodes.a.child.once('exit', resolve));
	gazpacho('drain', 'a');
	await until('the node that drains is left alone', async () => [await place(), await place()].every(address => address === HOSTS.b));
	transports.filter(({ iceCandidates: [{ address }] }) => address === HOSTS.a).forEach(transport => transport.close());
	assert.equal(await within('the node ends', ended), 0);
	await until('no node knows it any more', async () => (await clusterStatus([nodes.b], tls())).every(({ name }) => name !== 'a'));

	// It is used again when it is back, though the application was told its former address only.
	await start('a');
	await until('the node is used again', async () => await place() === HOSTS.a);
});
