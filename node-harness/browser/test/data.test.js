// Data channels between two pages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useBrowser } from '../lib/fixture.js';
import { until, within } from '../lib/wait.js';

const ctx = useBrowser();
const LARGEST = 262_144;

async function channel(options = {}) {
	const [alice, bob] = [await ctx.join(), await ctx.join()];
	const producer = await alice.produceData({ label: 'chat', protocol: 'words', ...options });
	const consumer = await bob.consumeData(producer);
	return { alice, bob, producer, consumer };
}

// hears waits for as many messages as were sent, and returns them.
const hears = (bob, consumer, count) => until(`${count} messages`, async () => {
	const heard = await bob.call('heardData', consumer.id);
	return heard.length >= count ? heard : undefined;
});

test('text and bytes in order, up to the largest message', async () => {
	const { alice, bob, producer, consumer } = await channel({ ordered: true });
	const sent = ['text', { size: 5, seed: 1 }, 'ä€𝄞', '', { size: 0, seed: 0 }, { size: 100_000, seed: 2 }, { size: LARGEST, seed: 3 },
		...Array.from({ length: 200 }, (_, i) => `message ${i}`)];
	await alice.call('sendData', producer.id, sent);
	const heard = await hears(bob, consumer, sent.length);
	const wanted = await Promise.all(sent.map(async message => (
		typeof message === 'string' ? message : { size: message.size, hash: await alice.call('hashData', message) })));
	assert.deepEqual(heard, wanted);
	assert.equal((await producer.getStats())[0].messagesReceived, sent.length);
	assert.equal((await consumer.getStats())[0].messagesSent, sent.length);
	assert.equal(alice.send.sctpState, 'connected');
	assert.equal(bob.recv.sctpState, 'connected');
});

test('unordered messages with limited retransmissions', async () => {
	const { alice, bob, producer, consumer } = await channel({ ordered: false, maxRetransmits: 3 });
	assert.equal(consumer.sctpStreamParameters.ordered, false);
	const sent = Array.from({ length: 500 }, (_, i) => `${i}`);
	await alice.call('sendData', producer.id, sent);
	const heard = await hears(bob, consumer, sent.length);
	assert.deepEqual(heard.map(Number).sort((a, b) => a - b), sent.map(Number));
});

// Nothing slows the sender down when the receiver's transport has too much to send. The application is notified of refused messages.
test('each of many large messages arrives, in order, or is refused', async () => {
	const { alice, bob, producer, consumer } = await channel({ ordered: true });
	let refused = 0;
	consumer.on('sctpsendbufferfull', () => refused++);
	const sent = Array.from({ length: 40 }, (_, seed) => ({ size: 200_000, seed }));
	await alice.call('sendData', producer.id, sent);
	const heard = await until('all messages', async () => {
		const heard = await bob.call('heardData', consumer.id);
		return heard.length + refused === sent.length ? heard : undefined;
	});
	const hashes = await Promise.all(sent.map(message => alice.call('hashData', message)));
	const order = heard.map(({ hash }) => hashes.indexOf(hash));
	assert.ok(order.length >= 10, `${order.length} messages arrived`);
	assert.deepEqual(order, [...new Set(order)].filter(index => index >= 0).sort((a, b) => a - b));
});

test('from the application to a page, and back', async () => {
	const alice = await ctx.join();
	const direct = await ctx.router.createDirectTransport();
	const fromApplication = await direct.produceData();
	const consumer = await alice.consumeData(fromApplication);
	await until('SCTP is connected', () => alice.recv.sctpState === 'connected');
	fromApplication.send('hello');
	assert.deepEqual(await hears(alice, consumer, 1), ['hello']);

	const producer = await alice.produceData({ ordered: true });
	const atApplication = await direct.consumeData({ dataProducerId: producer.id });
	const heard = new Promise(resolve => atApplication.once('message', message => resolve(message.toString())));
	await alice.call('sendData', producer.id, ['hello to you']);
	assert.equal(await within('a message at the application', heard), 'hello to you');
});

test('closing either end closes the data channel of the page', async () => {
	const { alice, bob, producer, consumer } = await channel({ ordered: true });
	await alice.call('sendData', producer.id, ['one']);
	await hears(bob, consumer, 1);
	consumer.close();
	await until('the channel of the receiver is closed', async () => await bob.call('dataState', consumer.id) === 'closed');
	const again = await bob.consumeData(producer);
	await alice.call('sendData', producer.id, ['two']);
	assert.deepEqual(await hears(bob, again, 1), ['two']);
	await alice.call('closeDataProducer', producer.id);
	producer.close();
	await until('the second one, too', async () => await bob.call('dataState', again.id) === 'closed');
});
