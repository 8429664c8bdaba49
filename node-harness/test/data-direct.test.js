// Data between direct transports: what each consumer receives, and which events fire.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counter, useWorker } from '../lib/fixture.js';
import { until } from '../lib/wait.js';

const ctx = useWorker();

async function speaker(options) {
	const transport = await ctx.router.createDirectTransport();
	return { transport, producer: await transport.produceData({ label: 'chat', ...options }) };
}

async function listen(producer, options) {
	const transport = await ctx.router.createDirectTransport();
	const consumer = await transport.consumeData({ dataProducerId: producer.id, ...options });
	const texts = [];
	consumer.on('message', message => texts.push(message.toString()));
	return { transport, consumer, texts };
}

const heard = (text, ...ears) => until(text, () => ears.every(({ texts }) => texts.at(-1) === text));

test('every consumer receives every message in order', async () => {
	const { producer } = await speaker();
	const ears = await Promise.all(Array.from({ length: 40 }, () => listen(producer)));
	const sent = Array.from({ length: 200 }, (_, i) => `message ${i}`);
	sent.forEach(text => producer.send(text));
	await heard(sent.at(-1), ...ears);
	ears.forEach(({ texts }) => assert.deepEqual(texts, sent));
	const [stat] = await producer.getStats();
	assert.equal(stat.messagesReceived, sent.length);
	assert.equal(stat.bytesReceived, sent.join('').length);
	for (const { consumer } of ears) {
		const [own] = await consumer.getStats();
		assert.deepEqual([own.messagesSent, own.bytesSent], [sent.length, sent.join('').length]);
	}
});

test('subchannels, required and ignored ones', async () => {
	const { producer } = await speaker();
	const none = await listen(producer);
	const one = await listen(producer, { subchannels: [1, 1] });
	const many = await listen(producer, { subchannels: [1, 2, 65535] });
	assert.deepEqual(one.consumer.subchannels, [1]);
	producer.send('all');
	producer.send('1', undefined, [1]);
	producer.send('2 or 65535', undefined, [2, 65535]);
	producer.send('1 with 2', undefined, [1], 2);
	producer.send('not 1', undefined, undefined, undefined, 1);
	producer.send('not 3', undefined, undefined, undefined, 3);
	producer.send('with 1 but not 2', undefined, undefined, 1, 2);
	producer.send('end');
	await heard('end', none, one, many);
	assert.deepEqual(none.texts, ['all', 'not 1', 'not 3', 'end']);
	assert.deepEqual(one.texts, ['all', '1', 'not 3', 'with 1 but not 2', 'end']);
	assert.deepEqual(many.texts, ['all', '1', '2 or 65535', '1 with 2', 'not 3', 'end']);
});

test('subchannels can be changed', async () => {
	const { producer } = await speaker();
	const ear = await listen(producer, { subchannels: [1] });
	await ear.consumer.addSubchannel(2);
	await ear.consumer.addSubchannel(2);
	await ear.consumer.removeSubchannel(1);
	assert.deepEqual((await ear.consumer.dump()).subchannels, [2]);
	producer.send('1', undefined, [1]);
	producer.send('2', undefined, [2]);
	await heard('2', ear);
	await ear.consumer.setSubchannels([3, 1]);
	assert.deepEqual(new Set(ear.consumer.subchannels), new Set([1, 3]));
	producer.send('2 again', undefined, [2]);
	producer.send('3', undefined, [3]);
	await heard('3', ear);
	assert.deepEqual(ear.texts, ['2', '3']);
});

test('pause and resume of producer and consumer fire each event once', async () => {
	const { producer } = await speaker();
	const [ear, deaf] = [await listen(producer), await listen(producer, { paused: true })];
	const events = [ear, deaf].map(({ consumer }) => counter(consumer, ['dataproducerpause', 'dataproducerresume']));
	assert.equal(deaf.consumer.paused, true);
	producer.send('one');
	await heard('one', ear);
	await producer.pause();
	await producer.pause();
	producer.send('lost');
	const late = await listen(producer);
	assert.equal(late.consumer.dataProducerPaused, true);
	await producer.resume();
	await producer.resume();
	producer.send('two');
	await heard('two', ear, late);
	await ear.consumer.pause();
	await deaf.consumer.resume();
	producer.send('three');
	await heard('three', deaf, late);
	await ear.consumer.resume();
	producer.send('four');
	await heard('four', ear, deaf, late);
	assert.deepEqual(ear.texts, ['one', 'two', 'four']);
	assert.deepEqual(deaf.texts, ['three', 'four']);
	assert.deepEqual(late.texts, ['two', 'three', 'four']);
	assert.deepEqual(events, Array(2).fill({ dataproducerpause: 1, dataproducerresume: 1 }));
});

test('closing fires each event once', async () => {
	const { transport, producer } = await speaker();
	const second = await transport.produceData();
	const [first, other, closed] = [await listen(producer), await listen(second), await listen(second)];
	const count = ({ consumer }) => counter(consumer, ['dataproducerclose', 'transportclose']);
	const events = [first, other, closed].map(count);
	const secondEvents = counter(second, ['transportclose']);
	producer.close();
	await until('the first is closed', () => events[0].dataproducerclose === 1);
	closed.transport.close();
	transport.close();
	await until('the other is closed', () => events[1].dataproducerclose === 1);
	await ctx.allEvents();
	assert.deepEqual(events, [
		{ dataproducerclose: 1, transportclose: 0 }, { dataproducerclose: 1, transportclose: 0 }, { dataproducerclose: 0, transportclose: 1 },
	]);
	assert.deepEqual(secondEvents, { transportclose: 1 });
	const dump = await ctx.router.dump();
	assert.deepEqual([dump.mapDataProducerIdDataConsumerIds, dump.mapDataConsumerIdDataProducerId], [[], []]);
	await assert.rejects(first.consumer.getStats(), { name: 'NotFoundError' });
});

test('SCTP parameters are refused', async () => {
	const { producer } = await speaker();
	const { consumer } = await listen(producer);
	await assert.rejects(consumer.getBufferedAmount(), TypeError);
	await assert.rejects(consumer.setBufferedAmountLowThreshold(10), TypeError);
	await assert.rejects(consumer.send('hello'), TypeError);
});
