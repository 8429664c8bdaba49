// Data channels between two pages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useBrowser } from '../lib/fixture.js';
import { until, within } from '../lib/wait.js';

const ctx = useBrowser();
const LARGEST = 262_144;

// channel connects two pages; join is what Participant.join takes.
async function channel({ join, ...options } = {}) {
	const [alice, bob] = [await ctx.join(join), await ctx.join(join)];
	const producer = await alice.produceData({ label: 'chat', protocol: 'words', ...options });
	const consumer = await bob.consumeData(producer);
	return { alice, bob, producer, consumer };
}

// hears waits for as many messages as were sent, and returns them.
const hears = (bob, consumer, count) => until(`${count} messages`, async () => {
	const heard = await bob.call('heardData', consumer.id);
	return heard.length >= count ? heard : undefined;
});

// MESSAGES of all sizes, which must arrive in this order.
const MESSAGES = ['text', { size: 5, seed: 1 }, 'ä€𝄞', '', { size: 0, seed: 0 }, { size: 65_536, seed: 2 }, { size: LARGEST, seed: 3 },
	...Array.from({ length: 200 }, (_, i) => `message ${i}`)];

// carries sends the messages, and fails unless they are heard in order.
async function carries({ alice, bob, producer, consumer }) {
	await alice.call('sendData', producer.id, MESSAGES);
	const heard = await hears(bob, consumer, MESSAGES.length);
	const wanted = await Promise.all(MESSAGES.map(async message => (
		typeof message === 'string' ? message : { size: message.size, hash: await alice.call('hashData', message) })));
	assert.deepEqual(heard, wanted);
	assert.equal((await producer.getStats())[0].messagesReceived, MESSAGES.length);
	assert.equal((await consumer.getStats())[0].messagesSent, MESSAGES.length);
	assert.equal(alice.send.sctpState, 'connected');
	assert.equal(bob.recv.sctpState, 'connected');
}

for (const dtlsRole of ['client', 'server']) {
	test(`text and bytes in order, up to the largest message, the pages are DTLS ${dtlsRole}s`, async () => {
		const all = await channel({ join: { dtlsRole }, ordered: true });
		await carries(all);
		for (const rows of [await all.alice.call('stats', 'send'), await all.bob.call('stats', 'recv')]) {
			assert.equal(rows.find(({ type }) => type === 'transport').dtlsRole, dtlsRole);
		}
	});
}

test('in order over a network that loses, repeats and reorders', async () => {
	const all = await channel({ join: { relayed: true }, ordered: true });
	const relays = [all.alice.relays.send, all.bob.relays.recv];
	relays.forEach(relay => relay.spoilData(0.03));
	await carries(all);
	for (const { dropped, repeated, overtaken } of [relays[0].up, relays[1].down]) {
		assert.ok(dropped > 0 && repeated > 0 && overtaken > 0, `${dropped} dropped, ${repeated} repeated, ${overtaken} overtaken`);
	}
});

// Chromium has room for 1024.
test('a thousand channels', async () => {
	const [alice, bob] = [await ctx.join(), await ctx.join()];
	const consumers = [];
	for (let i = 0; i < 1000; i++) {
		const producer = await alice.produceData({ ordered: true });
		consumers.push(await bob.consumeData(producer));
		await alice.call('sendData', producer.id, [`channel ${i}`]);
	}
	for (const [i, consumer] of consumers.entries()) {
		assert.deepEqual(await hears(bob, consumer, 1), [`channel ${i}`]);
	}
});

test('unordered messages with limited retransmissions', async () => {
	const { alice, bob, producer, consumer } = await channel({ ordered: false, maxRetransmits: 3 });
	assert.equal(consumer.sctpStreamParameters.ordered, false);
	const sent = Array.from({ length: 500 }, (_, i) => `${i}`);
	await alice.call('sendData', producer.id, sent);
	const heard = await hears(bob, consumer, sent.length);
	assert.deepEqual(heard.map(Number).sort((a, b) => a - b), sent.map(Number));
});

// Nothing slows the sender down when the receiver's transport has too much to send. The application is notified that messages
// were refused, though not of each.
test('each of many large messages arrives, in order, or is refused', async () => {
	const { alice, bob, producer, consumer } = await channel({ ordered: true });
	let refused = false;
	consumer.on('sctpsendbufferfull', () => (refused = true));
	const sent = Array.from({ length: 40 }, (_, seed) => ({ size: 200_000, seed }));
	await alice.call('sendData', producer.id, sent);
	await until('nothing waits any more', async () => {
		const [[{ messagesReceived }], [{ bufferedAmount }]] = [await producer.getStats(), await consumer.getStats()];
		return messagesReceived === sent.length && bufferedAmount === 0;
	});
	await alice.call('sendData', producer.id, ['end']);
	const heard = await until('all messages', async () => {
		const heard = await bob.call('heardData', consumer.id);
		return heard.at(-1) === 'end' ? heard.slice(0, -1) : undefined;
	});
	const hashes = await Promise.all(sent.map(message => alice.call('hashData', message)));
	const order = heard.map(({ hash }) => hashes.indexOf(hash));
	assert.ok(order.length >= 10, `${order.length} messages arrived`);
	assert.deepEqual(order, [...new Set(order)].filter(index => index >= 0).sort((a, b) => a - b));
	if (order.length < sent.length) {
		await until('the application knows', () => refused);
	}
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
