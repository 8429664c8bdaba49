// Starts and kills nodes: processes that stand for hosts, each with a loopback address of its own, connected to applications over
// mutual TLS.
import { execFile, execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { guard } from './processes.js';
import { within } from './wait.js';

const GAZPACHO = process.env.GAZPACHO;
const HERE = { spawn: (_, ...args) => spawn(...args) }; // in place of a network: all are on this host

// createCertificates makes a certificate authority and the certificates of nodes, application and operator in folder.
export function createCertificates(folder, nodes) {
	fs.rmSync(folder, { recursive: true, force: true });
	const certificates = (...args) => execFileSync(GAZPACHO, ['certificates', '--tls-dir', folder, ...args]);
	certificates('ca');
	for (const name of nodes) {
		certificates('node', name);
	}
	certificates('app', 'demo');
	certificates('operator', 'demo');
}

// createApplication makes the certificate of one more application, of a tenant.
export function createApplication(folder, name, tenant) {
	execFileSync(GAZPACHO, ['certificates', '--tls-dir', folder, '--tenant', tenant, 'app', name]);
}

// startNode resolves when the node listens: with its process and its address. Port 0 is any that is free. A network gives it a host.
export async function startNode(name, ip, tls, logFolder, port = 0, network, options = [], binary = GAZPACHO) {
	return start(name, `${ip}:${port}`, tls, logFolder, network ?? HERE, options, binary);
}

// startBus starts a node that nothing is placed on, as it is reached by a unix socket, and that runs the bus for others at an address.
// It resolves with its process.
export async function startBus(name, address, tls, logFolder) {
	const socket = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'gazpacho-')), 'bus.sock');
	return start(name, `unix:${socket}`, tls, logFolder, HERE, ['--join', address, '--bus', '--bus-address', address]);
}

// freePorts returns a port of an address that is free, as is the next one.
export async function freePorts(ip) {
	const listen = port => new Promise((resolve, reject) => {
		const server = net.createServer().once('error', reject).listen(port, ip, () => resolve(server));
	});
	for (;;) {
		const first = await listen(0);
		const { port } = first.address();
		const second = await listen(port + 1).catch(() => undefined);
		first.close();
		second?.close();
		if (second) {
			return port;
		}
	}
}

async function start(name, listen, tls, logFolder, network, options, binary = GAZPACHO) {
	const ip = listen.slice(0, listen.lastIndexOf(':'));
	const log = fs.openSync(path.join(logFolder, `${name}.log`), 'a');
	const child = guard(await network.spawn(ip, binary, ['node', '--name', name, '--listen', listen, '--tls-dir', tls, ...options], {
		stdio: ['ignore', 'pipe', log],
	}));
	fs.closeSync(log);
	const line = new Promise((resolve, reject) => {
		child.stdout.once('data', data => resolve(String(data)));
		child.once('exit', code => reject(new Error(`node ${name} ended with code ${code}; see ${logFolder}/${name}.log`)));
	});
	const address = /listens on (\S+)/.exec(await within(`node ${name} listens`, line))[1];
	return { name, ip, address, child };
}

// killNode ends a node as a power cut would.
export function killNode(node) {
	const ended = new Promise(resolve => node.child.once('exit', resolve));
	node.child.kill('SIGKILL');
	return within(`node ${node.name} has ended`, ended);
}

// showStatus prints what `gazpacho status` says.
export function showStatus(nodes, tls) {
	const cluster = nodes.map(({ address }) => address).join(',');
	console.log(String(execFileSync(GAZPACHO, ['status', '--cluster', cluster, '--tls-dir', tls])));
}

// nodeStatus returns the status of each node.
export async function nodeStatus(nodes, tls) {
	const rows = await clusterStatus(nodes, tls);
	return nodes.map(({ name }) => {
		const { status, error } = rows.find(row => row.name === name) ?? {};
		if (!status) {
			throw new Error(`node ${name} does not tell its status: ${error}`);
		}
		return status;
	});
}

// clusterStatus returns what nodes tell of all that they know.
export async function clusterStatus(nodes, tls) {
	const cluster = nodes.map(({ address }) => address).join(',');
	const asked = promisify(execFile)(GAZPACHO, ['status', '--json', '--cluster', cluster, '--tls-dir', tls]);
	const { stdout } = await asked.catch(failure => failure); // if there is one that does not answer
	return JSON.parse(stdout);
}
