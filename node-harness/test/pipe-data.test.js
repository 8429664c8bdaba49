// Data between two routers, of two workers or of one.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import * as mediasoup from 'mediasoup';
import { closeWorker, counter, useWorker } from '../lib/fixture.js';
import { PIPES } from '../lib/pipes.js';
import { until } from '../lib/wait.js';

const BINARY = 53;
const TEXT = 51;
const EMPTY_TEXT = 56;
const EMPTY_BINARY = 57;

const ctx = useWorker();
let other;

beforeEach(async () => {
	other = await mediasoup.createWorker({ logLevel: 'warn' });
});

afterEach(() => closeWorker(other));

const PLACES = {
	'another worker': { far: () => other.createRouter(), keepId: true },
	'the same worker': { far: () => ctx.worker.createRouter(), keepId: false },
};

// listen consumes on a direct transport and keeps the messages.
async function listen(router, dataProducer, options) {
	const transport = await router.createDirectTransport();
	const consumer = await transport.consumeData({ dataProducerId: dataProducer.id, ...options });
	const messages = [];
	consumer.on('message', (message, ppid) => messages.push([ppid, message.toString('latin1')]));
	return { transport, consumer, messages, texts: () => messages.map(([, text]) => text) };
}

async function speaker(options) {
	const transport = await ctx.router.createDirectTransport();
	return { transport, producer: await transport.produceData({ label: 'chat', protocol: 'text', ...options }) };
}

// connected sends until the far side receives: a pipe takes a moment to set up its association, and loses messages before.
async function connected(producer, ...listeners) {
	await until('the pipe carries data', () => {
		producer.send('?');
		return listeners.every(({ messages }) => messages.length > 0);
	});
	producer.send('!');
	await until('the last question', () => listeners.every(({ texts }) => texts().at(-1) === '!'));
	listeners.forEach(({ messages }) => messages.splice(0));
}

for (const [place, { far, keepId }] of Object.entries(PLACES)) {
	for (const [how, options] of Object.entries(PIPES)) {
		test(`messages of every kind reach ${place} ${how}, in order`, async () => {
			const router = await far();
			const { producer } = await speaker();
			const { pipeDataConsumer, pipeDataProducer } = await ctx.router.pipeToRouter({ dataProducerId: producer.id, router, keepId, ...options });
			assert.equal(pipeDataProducer.id === producer.id, keepId);
			assert.deepEqual([pipeDataProducer.label, pipeDataProducer.protocol, pipeDataProducer.type], ['chat', 'text', 'sctp']);
			assert.equal(pipeDataConsumer.type, 'sctp');
			const ear = await listen(router, pipeDataProducer);
			assert.deepEqual([ear.consumer.label, ear.consumer.protocol, ear.consumer.type], ['chat', 'text', 'direct']);
			await connected(producer, ear);

			const large = 'x'.repeat(200_000);
			const sent = [[TEXT, 'hello'], [BINARY, '\x00\xff'], [EMPTY_TEXT, ''], [EMPTY_BINARY, ''], [TEXT, large]];
			producer.send('hello');
			producer.send(Buffer.from([0, 255]));
			producer.send('');
			producer.send(Buffer.alloc(0));
			producer.send(large);
			for (let i = 0; i < 300; i++) {
				producer.send(`message ${i}`);
				sent.push([TEXT, `message ${i}`]);
			}
			await until('all messages', () => ear.messages.length >= sent.length);
			// mediasoup sends an empty message as one placeholder byte, so only the kind of those is compared.
			const strip = ([ppid, text]) => [ppid, ppid === EMPTY_TEXT || ppid === EMPTY_BINARY ? '' : text];
			assert.deepEqual(ear.messages.map(strip), sent);
			const [stat] = await pipeDataProducer.getStats();
			assert.ok(stat.messagesReceived >= sent.length);
		});
	}

	test(`subchannels reach ${place}`, async () => {
		const router = await far();
		const { producer } = await speaker();
		const { pipeDataConsumer, pipeDataProducer } = await ctx.router.pipeToRouter({ dataProducerId: producer.id, router, keepId });
		const all = await listen(router, pipeDataProducer);
		const one = await listen(router, pipeDataProducer, { subchannels: [1] });
		const both = await listen(router, pipeDataProducer, { subchannels: [1, 2] });
		const two = await listen(router, pipeDataProducer, { subchannels: [2] });
		await connected(producer, all, one, both, two);
		producer.send('to all');
		producer.send('to 1', undefined, [1]);
		producer.send('to 2', undefined, [2]);
		producer.send('to 1, who hear 2', undefined, [1], 2);
		producer.send('to all but 1', undefined, undefined, undefined, 1);
		producer.send('end');
		await until('the end', () => [all, one, both, two].every(({ texts }) => texts().at(-1) === 'end'));
		assert.deepEqual(all.texts(), ['to all', 'to all but 1', 'end']);
		assert.deepEqual(one.texts(), ['to all', 'to 1', 'end']);
		assert.deepEqual(both.texts(), ['to all', 'to 1', 'to 2', 'to 1, who hear 2', 'end']);
		assert.deepEqual(two.texts(), ['to all', 'to 2', 'to all but 1', 'end']);

		// Subchannels of the pipe itself keep messages without a consumer from crossing.
		await pipeDataConsumer.setSubchannels([2]);
		producer.send('to 1 again', undefined, [1]);
		producer.send('to 2 again', undefined, [2]);
		producer.send('end again');
		await until('the second end', () => [one, two].every(({ texts }) => texts().at(-1) === 'end again'));
		assert.deepEqual(one.texts().slice(-1), ['end again']);
		assert.deepEqual(one.texts().includes('to 1 again'), false);
		assert.deepEqual(two.texts().slice(-2), ['to 2 again', 'end again']);
	});

	const closings = {
		'the data producer': { close: ({ producer }) => producer.close(), pipe: { dataproducerclose: 1, transportclose: 0 } },
		'its transport': { close: ({ transport }) => transport.close(), pipe: { dataproducerclose: 1, transportclose: 0 } },
		'the pipe data consumer': { close: ({ pipeDataConsumer }) => pipeDataConsumer.close(), pipe: { dataproducerclose: 0, transportclose: 0 } },
		'the router': { close: () => ctx.router.close(), pipe: { dataproducerclose: 0, transportclose: 1 } },
	};
	for (const [what, { close, pipe }] of Object.entries(closings)) {
		test(`closing ${what} closes everything behind it in ${place}, once`, async () => {
			const router = await far();
			const { producer, transport } = await speaker();
			const { pipeDataConsumer, pipeDataProducer } = await ctx.router.pipeToRouter({ dataProducerId: producer.id, router, keepId });
			const { consumer } = await listen(router, pipeDataProducer);
			const pipeEvents = counter(pipeDataConsumer, ['dataproducerclose', 'transportclose']);
			const farEvents = counter(consumer, ['dataproducerclose', 'transportclose']);
			const closed = [pipeDataConsumer, pipeDataProducer, consumer].map(object => counter(object.observer, ['close']));
			await close({ producer, transport, pipeDataConsumer });
			await until('all are closed', () => closed.every(count => count.close === 1));
			await until('the far router is empty', async () => (await router.dump()).mapDataProducerIdDataConsumerIds.length === 0);
			await Promise.all([ctx.worker.dump(), other.dump()]);
			assert.deepEqual(pipeEvents, pipe);
			assert.deepEqual(farEvents, { dataproducerclose: 1, transportclose: 0 });
			assert.deepEqual(closed, Array(3).fill({ close: 1 }));
		});
	}
}
