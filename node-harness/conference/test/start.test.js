// The command, as it is started by make demo-conference; and the page for other machines.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as https from 'node:https';
import * as path from 'node:path';
import { test } from 'node:test';
import { guard } from '../../lib/processes.js';
import { until, within } from '../../lib/wait.js';
import { startConference } from '../server/conference.js';
import { settings } from '../server/settings.js';
import { Client } from './client.js';

const START = path.join(import.meta.dirname, '..', 'start.js');

function start(environment) {
	const child = guard(spawn(process.execPath, [START], { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] }));
	const output = [];
	child.stdout.on('data', data => output.push(data));
	child.stderr.on('data', data => output.push(data));
	return { child, exit: once(child, 'exit'), output: () => Buffer.concat(output).toString() };
}

test('the command prints the address, serves it, and ends well when it is interrupted', async () => {
	const { child, exit, output } = start({ LISTEN: '127.0.0.1:0' });
	const [, url] = await until('the address', () => /The conference is at (http:\/\/localhost:\d+\/demo)/.exec(output()));
	assert.match(await (await fetch(url)).text(), /<title>Conference/);
	child.kill('SIGINT');
	assert.deepEqual(await within('the end', exit), [0, null]);
});

test('the command says what is wrong with a setting', async () => {
	for (const [environment, says] of [
		[{ LISTEN: 'somewhere' }, /^error: LISTEN=somewhere: an IP address/], [{ NODES: 'x' }, /^error: NODES=x: a number/],
		[{ GUESTS: 'many' }, /^error: GUESTS=many: a number up to 15/], [{ GUESTS: '16' }, /^error: GUESTS=16: a number up to 15/],
		[{ LISTEN: '127.0.0.1:0', GUESTS: '3', GUEST_BIN: '/nowhere' }, /^error: there are no guests at \/nowhere: go build/]]) {
		const { exit, output } = start(environment);
		assert.deepEqual(await within('the end', exit), [1, null]);
		assert.match(output(), says);
	}
});

test('for other machines the page is served over HTTPS, and so is its WebSocket', async () => {
	const conference = await startConference({ ...settings({ LISTEN: '127.0.0.1:0' }), local: false, announced: '127.0.0.1' });
	const insecure = { rejectUnauthorized: false }; // the certificate signs itself
	try {
		assert.match(conference.url, /^https:\/\/127\.0\.0\.1:\d+\/$/);
		const [response] = await within('the page', once(https.get(conference.url, { ...insecure, agent: false }), 'response'));
		assert.equal(response.statusCode, 200);
		assert.equal(response.socket.getPeerCertificate().subjectaltname, 'IP Address:127.0.0.1, DNS:localhost');
		response.resume();
		const client = new Client(new URL('/signalling', conference.url), insecure);
		await within('a connection', once(client.socket, 'open'));
		assert.deepEqual((await client.request('join', { room: 'room', name: 'Ann', tab: 'tab' })).peers, []);
	} finally {
		await conference.close();
	}
});
