#!/usr/bin/env node
// An example of an autoscaler: it starts and stops media nodes on this machine as the cluster's webhooks say (docs/operations.md). Yours would
// have a cloud start and stop machines instead; the rest is the same.
//
// Usage: autoscaler.mjs OPTIONS-OF-GAZPACHO-NODE…. The nodes n1, n2 … are started with these. The environment says the rest:
//   GAZPACHO     the program                          PORT        where webhooks come in, on 127.0.0.1
//   SECRET_FILE  what they are signed with            MIN, MAX    how many nodes there are (1, 4)
//   PAUSE        seconds between two new nodes while capacity is short (60)
//   FIRST        options of the first node alone, which is never stopped: --bus, for one
import { spawn } from 'node:child_process';
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as http from 'node:http';

const { GAZPACHO = 'gazpacho', PORT = '9700', SECRET_FILE, MIN = '1', MAX = '4', PAUSE = '60', FIRST = '' } = process.env;
const secret = fs.readFileSync(SECRET_FILE, 'utf8').trim();
const options = process.argv.slice(2);
const nodes = new Map(); // processes, by name
const stopping = new Set();
const lasting = new Map(); // signals by what they are about
const seen = new Set(); // the newest notices
let startedAt = 0;

const say = text => console.log(`${new Date().toISOString()} ${text}`);

function start() {
	const name = Array.from({ length: Number(MAX) }, (_, i) => `n${i + 1}`).find(free => !nodes.has(free));
	if (name === undefined) {
		return;
	}
	say(`start ${name}`);
	const own = name === 'n1' ? FIRST.split(' ').filter(Boolean) : [];
	const child = spawn(GAZPACHO, ['node', '--name', name, ...options, ...own], { stdio: ['ignore', 'inherit', 'inherit'] });
	nodes.set(name, child);
	startedAt = Date.now();
	child.once('exit', code => {
		say(`${name} has ended with code ${code}`);
		nodes.delete(name);
		stopping.delete(name);
		keep();
	});
}

// stop has a node drain: it ends when it is empty.
function stop(name) {
	if (name === 'n1' || nodes.size - stopping.size <= Number(MIN) || !nodes.has(name) || stopping.has(name)) {
		return;
	}
	say(`stop ${name}`);
	stopping.add(name);
	nodes.get(name).kill('SIGTERM');
}

// keep starts what is missing, and stops what is not needed.
function keep() {
	const all = [...lasting.values()];
	all.filter(({ signal }) => signal === 'node-idle').forEach(({ node }) => stop(node));
	const short = all.some(({ signal }) => signal === 'capacity-short');
	const pause = nodes.size < Number(MIN) ? 1 : Number(PAUSE); // one that ends at once is not started without end
	if ((nodes.size < Number(MIN) || short) && Date.now() - startedAt >= 1000 * pause) {
		start();
	}
}

function take(notice) {
	const { id, signal, state, region, node } = notice;
	if (seen.has(id + state)) {
		return; // told twice, as the node that told it first has died
	}
	seen.add(id + state);
	if (seen.size > 1000) {
		seen.delete(seen.values().next().value);
	}
	say(`${signal} ${node ?? region ?? ''} ${state}`);
	if (state === 'end') {
		lasting.delete(`${signal} ${region} ${node}`);
	} else if (signal !== 'node-drained') { // which the end of its process shows here
		lasting.set(`${signal} ${region} ${node}`, notice);
	}
	keep();
}

// isSigned says whether a request is of the cluster, and not an old one that somebody sends again.
function isSigned(headers, body) {
	const timestamp = String(headers['gazpacho-timestamp']);
	const want = Buffer.from(`sha256=${crypto.createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`);
	const got = Buffer.from(String(headers['gazpacho-signature']));
	return got.length === want.length && crypto.timingSafeEqual(got, want) && Math.abs(Date.now() / 1000 - Number(timestamp)) < 300;
}

const server = http.createServer((request, response) => {
	let body = '';
	request.setEncoding('utf8'); // characters may be cut by packets
	request.on('data', data => {
		body += data;
		if (body.length > 64 << 10) {
			request.destroy();
		}
	});
	request.on('end', () => {
		const signed = isSigned(request.headers, body);
		response.writeHead(signed ? 204 : 403).end();
		if (signed) {
			take(JSON.parse(body));
		}
	});
});

server.listen(Number(PORT), '127.0.0.1', keep);
const timer = setInterval(keep, 1000);
for (const signal of ['SIGINT', 'SIGTERM']) {
	process.once(signal, () => {
		clearInterval(timer);
		server.close();
		nodes.forEach(child => child.removeAllListeners('exit').kill('SIGINT'));
	});
}
