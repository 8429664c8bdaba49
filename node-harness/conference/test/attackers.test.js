// Who is no page of ours, and does what none would do.
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import * as net from 'node:net';
import { mock, test } from 'node:test';
import { until, within } from '../../lib/wait.js';
import { audioProducer, videoProducer } from '../../lib/fixture.js';
import { Connection } from '../server/connection.js';
import { useConference } from './client.js';

const ctx = useConference();

// raw connects and sends something; the socket is closed after the tests.
async function raw(text, options) {
	const { hostname, port } = new URL(ctx.conference.url);
	const socket = net.connect({ ...options, port: Number(port), host: hostname });
	ctx.clients.push({ socket: { terminate: () => socket.destroy() } });
	socket.on('error', () => {});
	await within('a connection', once(socket, 'connect'));
	socket.write(text);
	return socket;
}

const upgrade = path => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
	+ 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

test('who asks for another address and is gone before the answer harms nobody', async () => {
	for (let i = 0; i < 50; i++) {
		const socket = await raw(upgrade('/elsewhere'));
		socket.resetAndDestroy();
	}
	await ctx.join('after-resets', 'Ann');
});

test('who is refused does not keep the connection, and may break it', async () => {
	for (let i = 0; i < 20; i++) {
		const socket = await raw(upgrade('/elsewhere'), { allowHalfOpen: true });
		const ended = new Promise(resolve => socket.once('close', resolve));
		await within('the refusal', once(socket, 'data'));
		if (i % 2) {
			socket.resetAndDestroy();
			continue;
		}
		const writing = setInterval(() => socket.write('x'), 10); // finds out that the other half is closed, too
		await within('the end', ended).finally(() => clearInterval(writing));
	}
	await ctx.join('after-refusals', 'Ann');
});

test('a crowd that says nothing keeps nobody out', async () => {
	const ann = await ctx.join('crowd', 'Ann');
	const silent = [];
	for (let i = 0; i < 300; i++) {
		silent.push(await raw(i % 2 ? upgrade('/signalling') : ''));
	}
	await until('room', () => silent[0].destroyed);
	await ctx.join('crowd', 'Bob');
	await ann.hears('peerJoined');
	silent.forEach(socket => socket.destroy());
});

test('who does not read what is written leaves', () => {
	const sent = [];
	const socket = Object.assign(new EventEmitter(), { OPEN: 1, readyState: 1, bufferedAmount: 0, send: text => sent.push(text), terminate: mock.fn() });
	const connection = new Connection(socket, ctx.conference.rooms);
	connection.notify('speaking', {});
	assert.equal(socket.terminate.mock.callCount(), 0);
	socket.bufferedAmount = 2 << 20;
	connection.notify('speaking', {});
	assert.equal(socket.terminate.mock.callCount(), 1);
	assert.equal(sent.length, 1);
});

test('what a page sends does nothing to the terminal', async t => {
	const printed = t.mock.method(console, 'error', () => {});
	const ann = await ctx.join('terminal', 'Ann');
	const mid = '\x1b[2J\x1b[31mroot\n';
	const produce = (source, { rtpParameters }) => ann.request('produce', { source, rtpParameters: { ...rtpParameters, mid } });
	await produce('microphone', audioProducer());
	await assert.rejects(produce('camera', videoProducer()), /could not do that/);
	const [{ arguments: words }] = printed.mock.calls;
	assert.match(words.join(' '), /produce failed: .*MID already exists/);
	assert.doesNotMatch(words.join(' '), /\p{Cc}/u);
});
