// What is no request, what is no good request, and who is no page of ours.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import { test } from 'node:test';
import { within } from '../../lib/wait.js';
import { audioProducer } from '../../lib/fixture.js';
import { MAX_MESSAGE_BYTES } from '../server/connection.js';
import { Client, useConference } from './client.js';

const ctx = useConference();
const POLICY_VIOLATION = 1008;
const TOO_BIG = 1009;
const JOIN = { room: 'room', name: 'Ann', tab: 'tab' };

for (const [name, message, code] of [
	['no JSON', '{', POLICY_VIOLATION],
	['a number', '7', POLICY_VIOLATION],
	['a list', '[]', POLICY_VIOLATION],
	['null', 'null', POLICY_VIOLATION],
	['no id', '{"method":"join"}', POLICY_VIOLATION],
	['an id that is no number', '{"id":"1","method":"join"}', POLICY_VIOLATION],
	['bytes', Buffer.from('{"id":1}'), POLICY_VIOLATION],
	['too long a message', 'x'.repeat(MAX_MESSAGE_BYTES + 1), TOO_BIG],
]) {
	test(`${name} ends the connection`, async () => {
		const client = await ctx.connect();
		client.socket.send(message);
		assert.equal(await within('the end', client.closed), code);
	});
}

test('more requests than can be waiting end the connection', async () => {
	const client = await ctx.join('flood', 'Ann');
	for (let id = 100; id < 300; id++) {
		client.socket.send(JSON.stringify({ id, method: 'figures', data: { peerId: client.joined.id } }));
	}
	assert.equal(await within('the end', client.closed), POLICY_VIOLATION);
});

for (const [name, data, says] of [
	['no room', { name: 'Ann', tab: 't' }, /room must be a text/],
	['a room of other characters', { ...JOIN, room: '../x' }, /room has characters/],
	['an empty name', { ...JOIN, name: '' }, /name must have 1 to 40/],
	['a long name', { ...JOIN, name: 'x'.repeat(41) }, /name must have 1 to 40/],
	['a name over two lines', { ...JOIN, name: 'Ann\nBob' }, /name has characters/],
	['a name that is an object', { ...JOIN, name: {} }, /name must be a text/],
	['something else besides', { ...JOIN, admin: true }, /nothing called admin/],
	['data that is a list', [], /data must be an object/],
]) {
	test(`join is refused: ${name}`, async () => {
		const client = await ctx.connect();
		await assert.rejects(client.request('join', data), says);
	});
}

test('who is in no room can only join, and only once', async () => {
	const client = await ctx.connect();
	await assert.rejects(client.request('produceData', { sctpStreamParameters: {} }), /join a room first/);
	await client.request('join', JOIN);
	await assert.rejects(client.request('join', JOIN), /in a room already/);
	client.socket.terminate();
});

for (const [method, data, says] of [
	['fly', {}, /no such method/],
	['constructor', {}, /no such method/],
	['__proto__', {}, /no such method/],
	[undefined, {}, /no such method/],
	['connect', { direction: 'up', dtlsParameters: {} }, /direction must be one of send, recv/],
	['connect', { direction: 'send', dtlsParameters: {} }, /dtlsParameters/],
	['produce', { source: 'constructor', rtpParameters: {} }, /source must be one of/],
	['produce', { source: 'camera', rtpParameters: [] }, /rtpParameters must be an object/],
	['produce', { source: 'camera', rtpParameters: {} }, /your camera must be video/],
	['produce', { source: 'camera', rtpParameters: { codecs: [null] } }, /your camera must be video/],
	['produce', { source: 'camera', rtpParameters: { codecs: [] } }, /./],
	['produce', { source: 'camera', rtpParameters: audioProducer().rtpParameters }, /your camera must be video/],
	['produce', { source: 'microphone', rtpParameters: { codecs: [{ mimeType: 'audio/x' }] } }, /./],
	['produceData', { sctpStreamParameters: { streamId: -1 } }, /./],
	['closeProducer', { source: 'camera' }, /do not send your camera/],
	['resumeConsumer', { id: 'x' }, /no such consumer/],
	['setPreferredLayers', { id: 'x', spatialLayer: 1.5, temporalLayer: 0 }, /spatialLayer must be a whole number/],
	['setPreferredLayers', { id: 'x', spatialLayer: 0 }, /temporalLayer must be a whole number/],
	['setPriority', { id: 'x', priority: 256 }, /priority must be a whole number from 1 to 255/],
	['figures', { peerId: 'nobody' }, /has left/],
]) {
	test(`${method} ${JSON.stringify(data).slice(0, 60)} is refused, and the connection goes on`, async () => {
		const client = await ctx.join('bad', 'Ann');
		await assert.rejects(client.request(method, data), says);
		await client.request('figures', { peerId: client.joined.id });
		client.socket.terminate();
	});
}

test('a page of another site cannot connect; a program, which names none, can', async () => {
	const url = new URL('/signalling', ctx.conference.url);
	for (const origin of ['http://evil.example', 'null', 'no address']) {
		const { socket } = new Client(url, { origin });
		const [, response] = await within('a refusal', once(socket, 'unexpected-response'));
		assert.equal(response.statusCode, 403, origin);
		socket.on('error', () => {}); // that of terminate, before the connection was there
		socket.terminate();
	}
	await ctx.connect({ origin: new URL(ctx.conference.url).origin });
	await ctx.connect();
});

function get(path, method = 'GET') {
	return new Promise((resolve, reject) => {
		const { hostname, port } = new URL(ctx.conference.url);
		http.request({ hostname, port, path, method, agent: false }, async response => {
			const chunks = await response.toArray();
			resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() });
		}).on('error', reject).end();
	});
}

test('each room has the page, and nothing but the page is served', async () => {
	for (const path of ['/', '/demo', '/demo?x=1']) {
		const { status, headers, body } = await get(path);
		assert.equal(status, 200, path);
		assert.match(headers['content-security-policy'], /default-src 'self'/);
		assert.match(body, /<title>Conference/);
	}
	assert.match((await get('/main.js')).headers['content-type'], /javascript/);
	for (const path of ['/../package.json', '/server/peer.js', '/Demo', '/a/b', '/%2e%2e/package.json', '/constructor/x']) {
		assert.equal((await get(path)).status, 404, path);
	}
	assert.equal((await get('/', 'POST')).status, 405);
	assert.equal((await get('/', 'HEAD')).body, '');
});
