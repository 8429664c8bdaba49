// Starts and kills nodes: processes that stand for hosts, each with a loopback address of its own, connected to applications over
// mutual TLS.
import { execFile, execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { guard } from './processes.js';
import { within } from './wait.js';

const GAZPACHO = process.env.GAZPACHO;

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

// startNode resolves when the node listens: with its process and its address. Port 0 is any that is free. A network gives it a host.
export async function startNode(name, ip, tls, logFolder, port = 0, network = { spawn: (_, ...args) => spawn(...args) }) {
	const log = fs.openSync(path.join(logFolder, `${name}.log`), 'a');
	const child = guard(await network.spawn(ip, GAZPACHO, ['node', '--name', name, '--listen', `${ip}:${port}`, '--tls-dir', tls], {
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
	const cluster = nodes.map(({ address }) => address).join(',');
	const { stdout } = await promisify(execFile)(GAZPACHO, ['status', '--json', '--cluster', cluster, '--tls-dir', tls]);
	return JSON.parse(stdout).map(({ status }) => status);
}
