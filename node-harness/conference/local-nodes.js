// NODES=3: a cluster on this machine. The conference itself does not know; its environment says where the nodes are.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { createCertificates, startNode } from '../lib/nodes.js';
import { settings } from './server/settings.js';

const OUT = path.join(import.meta.dirname, '..', '..', 'build', 'conference');
const MOST = 8;

// startNodes starts as many nodes as NODES says, each with a loopback address of its own, and adds to the environment what an
// application needs to use them. It returns them.
export async function startNodes(environment) {
	const count = Number(environment.NODES ?? 0);
	if (count === 0) {
		return [];
	}
	if (!Number.isInteger(count) || count < 1 || count > MOST) {
		throw new Error(`NODES=${environment.NODES}: a number from 1 to ${MOST} is needed`);
	}
	const tls = path.join(OUT, 'tls');
	fs.mkdirSync(OUT, { recursive: true });
	const hosts = Array.from({ length: count }, (_, i) => ({ name: String.fromCharCode(97 + i), ip: `127.0.1.${i + 1}` }));
	createCertificates(tls, hosts.map(({ name }) => name));
	const nodes = await Promise.all(hosts.map(({ name, ip }) => startNode(name, ip, tls, OUT, 0, undefined, mediaOptions(ip, environment))));
	Object.assign(environment, {
		GAZPACHO_CLUSTER: nodes.map(({ address }) => address).join(','),
		GAZPACHO_TLS_DIR: tls,
		GAZPACHO_PLACEMENT: 'spread', // so that there is something to see; otherwise one node takes all until it is full
		NODE_NAMES: hosts.map(({ name, ip }) => `${ip}=${name}`).join(','),
	});
	return nodes;
}

// mediaOptions: browsers of other machines cannot reach loopback addresses; the nodes reach each other by them all the same.
function mediaOptions(ip, environment) {
	const { local, host, announced } = settings(environment);
	if (local) {
		return [];
	}
	return ['--media-address', host, '--announced-address', announced, '--pipe-address', ip];
}
