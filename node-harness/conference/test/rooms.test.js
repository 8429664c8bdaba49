// People come, send, and leave: what the others are told, and that nothing is left behind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { audioProducer, videoProducer } from '../../lib/fixture.js';
import { until } from '../../lib/wait.js';
import { MAX_PEERS } from '../server/rooms.js';
import { useConference } from './client.js';

const ctx = useConference();
const MICROPHONE = { source: 'microphone', rtpParameters: audioProducer().rtpParameters };
const CAMERA = { source: 'camera', rtpParameters: videoProducer().rtpParameters };

// isEmpty waits until no room is left on the server, and no Router in the worker.
async function isEmpty() {
	await until('no rooms', () => ctx.conference.rooms.size === 0);
	await until('no routers', async () => (await ctx.conference.worker.dump()).routerIds.length === 0);
}

test('two people see each other come and go, and the last one closes the room', async () => {
	const ann = await ctx.join('here', 'Ann');
	assert.deepEqual(ann.joined.peers, []);
	assert.equal(ann.joined.name, 'Ann');
	const bob = await ctx.join('here', 'Bob');
	assert.deepEqual(bob.joined.peers.map(({ id, name }) => [id, name]), [[ann.joined.id, 'Ann']]);
	assert.equal((await ann.hears('peerJoined')).name, 'Bob');
	bob.socket.close();
	assert.deepEqual(await ann.hears('peerLeft'), { id: bob.joined.id });
	ann.socket.close();
	await isEmpty();
});

test('rooms know nothing of each other', async () => {
	const ann = await ctx.join('one', 'Ann');
	const bob = await ctx.join('two', 'Bob');
	assert.deepEqual(bob.joined.peers, []);
	await bob.receive();
	await ann.request('produce', MICROPHONE);
	await assert.rejects(bob.request('figures', { peerId: ann.joined.id }), /has left/);
	assert.equal(bob.count('consumer'), 0);
});

test('everybody gets each stream once, whether they were there before it or come later', async () => {
	const ann = await ctx.join('media', 'Ann');
	const early = await ctx.join('media', 'Early');
	await early.receive();
	await ann.request('produce', MICROPHONE);
	await ann.request('produce', CAMERA);
	const late = await ctx.join('media', 'Late');
	await late.receive();
	for (const other of [early, late]) {
		for (const source of ['microphone', 'camera']) {
			const { peerId, paused, rtpParameters } = await other.hears('consumer', data => data.source === source);
			assert.equal(peerId, ann.joined.id);
			assert.equal(paused, false);
			assert.equal(rtpParameters.encodings.length, 1);
		}
		assert.equal(other.count('consumer'), 2);
	}
});

test('the chat reaches everybody, too', async () => {
	const ann = await ctx.join('chat', 'Ann');
	const bob = await ctx.join('chat', 'Bob');
	await bob.receive();
	await ann.request('produceData', { sctpStreamParameters: { streamId: 0, ordered: true } });
	assert.equal((await bob.hears('dataConsumer')).peerId, ann.joined.id);
	const late = await ctx.join('chat', 'Late');
	await late.receive();
	assert.equal((await late.hears('dataConsumer')).label, 'chat');
	await assert.rejects(ann.request('produceData', { sctpStreamParameters: { streamId: 1, ordered: true } }), /already/);
});

test('a stream is muted, steered and closed', async () => {
	const ann = await ctx.join('steer', 'Ann');
	const bob = await ctx.join('steer', 'Bob');
	await bob.receive();
	await ann.request('produce', MICROPHONE);
	const { id } = await bob.hears('consumer');
	await bob.request('resumeConsumer', { id });
	await bob.request('setPriority', { id, priority: 255 });
	await bob.request('setPreferredLayers', { id, spatialLayer: 0, temporalLayer: 0 });
	await ann.request('pauseProducer', { source: 'microphone' });
	await bob.hears('consumerPaused', data => data.id === id);
	await ann.request('resumeProducer', { source: 'microphone' });
	await bob.hears('consumerResumed', data => data.id === id);
	await assert.rejects(ann.request('produce', MICROPHONE), /already send your microphone/);
	await ann.request('closeProducer', { source: 'microphone' });
	await bob.hears('consumerClosed', data => data.id === id);
	await assert.rejects(bob.request('resumeConsumer', { id }), /no such consumer/);
	await ann.request('produce', MICROPHONE); // again
	await bob.hears('consumer', data => data.id !== id);
});

test('figures tell what the server knows of both ways', async () => {
	const ann = await ctx.join('figures', 'Ann');
	const bob = await ctx.join('figures', 'Bob');
	await bob.receive();
	await ann.request('produce', MICROPHONE);
	const { id } = await bob.hears('consumer');
	const { up, down, streams, deliveries } = await bob.request('figures', { peerId: ann.joined.id });
	assert.equal(up.received, 0); // nothing has been sent yet
	assert.equal(down.sent, 0);
	assert.deepEqual(streams, []);
	assert.equal(deliveries[0].id, id);
	const own = await bob.request('figures', { peerId: bob.joined.id });
	assert.deepEqual(own.deliveries, []);
});

test('a page that comes back takes the place of what it was', async () => {
	const ann = await ctx.join('back', 'Ann');
	const bob = await ctx.join('back', 'Bob', 'tab-of-bob');
	const again = await ctx.join('back', 'Bob', 'tab-of-bob');
	await bob.closed;
	assert.deepEqual(again.joined.peers.map(({ name }) => name), ['Ann']);
	assert.deepEqual(await ann.hears('peerLeft'), { id: bob.joined.id });
	await ann.hears('peerJoined', ({ id }) => id === again.joined.id);
});

test('a full room refuses one more, and takes somebody when one has left', async () => {
	const all = await Promise.all(Array.from({ length: MAX_PEERS }, (_, i) => ctx.join('full', `P${i}`)));
	await assert.rejects(ctx.join('full', 'Late'), /full/);
	all[1].socket.close();
	await all[0].hears('peerLeft');
	await ctx.join('full', 'Late');
});

test('who leaves while it joins leaves nothing behind', async () => {
	ctx.clients.forEach(({ socket }) => socket.terminate());
	await isEmpty();
	const hasty = await ctx.connect();
	hasty.socket.send(JSON.stringify({ id: 1, method: 'join', data: { room: 'hasty', name: 'H', tab: 't' } }));
	hasty.socket.close();
	await hasty.closed;
	const ann = await ctx.join('after', 'Ann'); // made by the same worker, after what the hasty one has asked for
	ann.socket.close();
	await isEmpty();
});
