// importProducer() and importDataProducer() of the npm package: its conversation with workers, of which the test plays the other end, and what it makes of that
// with the unchanged library and a real Router.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { importDataProducer, importProducer, ImportError } from '../gazpacho/import-producer.js';
import { audioProducer, OPUS, useWorker, videoProducer } from '../lib/fixture.js';
import { until, within } from '../lib/wait.js';

const ctx = useWorker();
let folder;
let servers;

// FakeWorker listens as a worker in a cluster does, and knows one Router.
class FakeWorker {
	connections = [];
	requests = [];

	constructor(pid, answer) {
		this.name = path.join(folder, `${process.pid}.${pid}.sock`);
		this.server = net.createServer(socket => {
			this.connections.push(socket);
			socket.on('error', () => {});
			socket.ended = new Promise(resolve => socket.once('close', resolve));
			socket.setEncoding('utf8').once('data', line => {
				this.requests.push(JSON.parse(line));
				answer(text => socket.write(text), socket);
			});
		});
		servers.push(this);
	}

	// offering listens with an offer for everybody who asks, with an SSRC of its own as those of a front have.
	static offering(pid, make, paused = false) {
		let count = 0;
		return new FakeWorker(pid, say => {
			const offer = make({ mid: undefined, encodings: [{ ssrc: 1000 + ++count }] });
			say(`${JSON.stringify({ import: { id: `import-${pid}-${count}`, ...offer, paused } })}\n`);
		}).listen();
	}

	static refusing(pid, code) {
		return new FakeWorker(pid, (say, socket) => socket.end(`${JSON.stringify({ error: { code, message: `because of ${code}` } })}\n`)).listen();
	}

	static saying(pid, text) {
		return new FakeWorker(pid, (say, socket) => socket.end(text)).listen();
	}

	async listen() {
		await new Promise(resolve => this.server.listen(this.name, resolve));
		return this;
	}

	tell(...events) {
		this.connections.at(-1).write(events.map(event => `${JSON.stringify({ event })}\n`).join(''));
	}

	async close() {
		this.connections.forEach(socket => socket.destroy());
		await new Promise(resolve => this.server.close(resolve));
	}
}

beforeEach(() => {
	folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gazpacho-'));
	servers = [];
	process.env.GAZPACHO_RUN_DIR = folder; // of this process; the worker, which has started, has its own
});
afterEach(async () => {
	delete process.env.GAZPACHO_RUN_DIR;
	await Promise.all(servers.map(server => server.close()));
	fs.rmSync(folder, { recursive: true });
});

// events keeps what a producer's observer tells.
function events(producer) {
	const heard = [];
	['pause', 'resume', 'close'].forEach(event => producer.observer.on(event, () => heard.push(event)));
	return heard;
}

const closed = object => within('it closes', new Promise(resolve => object.observer.once('close', resolve)));
const transports = async () => (await ctx.router.dump()).transportIds.length;
const refused = (code, message, options) => assert.rejects(importProducer(ctx.router, 'original', options), error => {
	assert.ok(error instanceof ImportError);
	assert.equal(error.code, code);
	assert.match(error.message, message);
	return true;
});

test('an import follows the original', async () => {
	const worker = await FakeWorker.offering(7, videoProducer);
	const producer = await importProducer(ctx.router, 'original', { appData: { from: 'afar' } });
	assert.deepEqual(worker.requests, [{ import: { routerId: ctx.router.id, producerId: 'original' } }]);
	assert.equal(producer.id, 'import-7-1');
	assert.equal(producer.kind, 'video');
	assert.equal(producer.paused, false);
	assert.deepEqual(producer.appData, { from: 'afar' });
	assert.equal(producer.rtpParameters.encodings[0].ssrc, 1001);
	const { consumer } = await ctx.sink(producer);
	assert.equal(consumer.producerId, producer.id);

	const heard = events(producer);
	worker.tell('paused', 'something of the future', 'resumed', 'paused', 'resumed', 'closed');
	await closed(producer);
	assert.deepEqual(heard, ['pause', 'resume', 'pause', 'resume', 'close']);
	await within('the worker hears the end', worker.connections[0].ended);
});

const CHAT = { sctpStreamParameters: { streamId: 7, ordered: false, maxRetransmits: 3 }, label: 'chat', protocol: 'json' };

test('an import of a data producer follows the original', async () => {
	const { router } = ctx;
	const createPipeTransport = router.createPipeTransport.bind(router);
	router.createPipeTransport = options => createPipeTransport({ ...options, enableSctp: true }); // which a front does not need
	const worker = await FakeWorker.offering(7, () => CHAT);
	const producer = await importDataProducer(ctx.router, 'original', { appData: { from: 'afar' } });
	assert.deepEqual(worker.requests, [{ import: { routerId: ctx.router.id, dataProducerId: 'original' } }]);
	assert.equal(producer.id, 'import-7-1');
	assert.deepEqual([producer.type, producer.label, producer.protocol, producer.paused], ['sctp', 'chat', 'json', false]);
	assert.deepEqual(producer.sctpStreamParameters, { maxPacketLifeTime: undefined, ...CHAT.sctpStreamParameters });
	assert.deepEqual(producer.appData, { from: 'afar' });

	const heard = events(producer);
	worker.tell('paused', 'something of the future', 'resumed', 'closed');
	await closed(producer);
	assert.deepEqual(heard, ['pause', 'resume', 'close']);
	await within('the worker hears the end', worker.connections[0].ended);
	await until('the transport is closed', async () => await transports() === 0);
});

test('what the worker says of a data producer lacks something', async () => {
	for (const lack of Object.keys(CHAT)) {
		const { [lack]: _, ...offer } = CHAT;
		const worker = await FakeWorker.offering(7, () => offer);
		await assert.rejects(importDataProducer(ctx.router, 'original'), { code: 'FAILED', message: /lacks something/ });
		await worker.close();
	}
	const worker = await FakeWorker.refusing(7, 'PRODUCER_NOT_FOUND');
	await assert.rejects(importDataProducer(ctx.router, 'original'), { code: 'PRODUCER_NOT_FOUND' });
	await worker.close();
	await FakeWorker.offering(7, () => ({ ...CHAT, sctpStreamParameters: { streamId: 'seven' } }));
	await assert.rejects(importDataProducer(ctx.router, 'original'), { code: 'FAILED', message: /mediasoup refused/ });
});

test('an original that is paused', async () => {
	const worker = await FakeWorker.offering(7, audioProducer, true);
	const producer = await importProducer(ctx.router, 'original');
	assert.equal(producer.paused, true);
	worker.tell('resumed');
	await until('it is resumed', () => !producer.paused);
});

test('news that come with the offer are heard by who waits for the producer', async () => {
	const offer = JSON.stringify({ import: { id: 'x', ...audioProducer(), paused: false } });
	await FakeWorker.saying(7, `${offer}\n{"event":"paused"}\n{"event":"closed"}\n`);
	const producer = await importProducer(ctx.router, 'original');
	const heard = events(producer);
	assert.equal(producer.closed, false);
	await closed(producer);
	assert.deepEqual(heard, ['pause', 'close']);
});

test('the worker that has the Router answers, whatever others do', async () => {
	await FakeWorker.refusing(1, 'ROUTER_NOT_FOUND');
	const silent = await new FakeWorker(2, () => {}).listen();
	await FakeWorker.saying(3, '');
	await FakeWorker.saying(4, 'nonsense\n');
	const killed = await FakeWorker.offering(5, audioProducer);
	fs.renameSync(killed.name, `${killed.name}.kept`); // what a killed worker leaves is a socket that nobody listens on
	await killed.close();
	fs.renameSync(`${killed.name}.kept`, killed.name);
	fs.writeFileSync(path.join(folder, '1.2.sock'), 'of another process');
	await FakeWorker.offering(7, audioProducer);
	const producer = await importProducer(ctx.router, 'original');
	assert.equal(producer.id, 'import-7-1');
	await within('the others are left alone', silent.connections[0].ended);
});

test('imports of a Router share a PipeTransport, which closes with the last one', async () => {
	const worker = await FakeWorker.offering(7, audioProducer);
	const [one, two] = await Promise.all(['a', 'b'].map(id => importProducer(ctx.router, id)));
	assert.equal(await transports(), 1);
	one.close();
	await within('the worker hears of one', Promise.race(worker.connections.map(({ ended }) => ended)));
	assert.equal(await transports(), 1);
	two.close();
	await within('the worker hears of both', Promise.all(worker.connections.map(({ ended }) => ended)));
	await until('the transport is closed', async () => await transports() === 0);

	const three = await importProducer(ctx.router, 'c');
	assert.equal(await transports(), 1);
	ctx.router.close();
	assert.equal(three.closed, true);
	await within('the worker hears of the third', worker.connections[2].ended);
});

test('an import whose worker tells no more is closed', async () => {
	const worker = await FakeWorker.offering(7, audioProducer);
	const producer = await importProducer(ctx.router, 'original');
	worker.connections[0].destroy();
	await closed(producer);

	const other = await importProducer(ctx.router, 'original');
	worker.connections[1].write('nonsense\n');
	await closed(other);
});

for (const code of ['PRODUCER_NOT_FOUND', 'UNSUPPORTED', 'BUSY', 'FAILED']) {
	test(`the worker refuses: ${code}`, async () => {
		await FakeWorker.refusing(1, 'ROUTER_NOT_FOUND');
		await FakeWorker.refusing(2, code);
		await refused(code, new RegExp(`because of ${code}`));
	});
}

test('no worker has the Router', async () => {
	await refused('ROUTER_NOT_FOUND', /GAZPACHO_CLUSTER.*asked: 0/);
	await FakeWorker.refusing(1, 'ROUTER_NOT_FOUND');
	await refused('ROUTER_NOT_FOUND', /asked: 1/);
	process.env.GAZPACHO_RUN_DIR = path.join(folder, 'none');
	await refused('ROUTER_NOT_FOUND', /asked: 0/);
});

test('a folder in which others may listen', async () => {
	await FakeWorker.offering(7, audioProducer);
	fs.chmodSync(folder, 0o755);
	await refused('FAILED', /with mode 0700/);
});

for (const [what, text, message] of [
	['no JSON', 'nonsense\n', /no JSON/],
	['nothing', '', /gave no answer/],
	['no object', '7\n', /gave no answer/],
	['an unknown error', '{"error":{"code":"WHATEVER","message":"so it is"}}\n', /so it is/],
	['half of an offer', '{"import":{"id":"x","kind":"audio","paused":false}}\n', /lacks something/],
	['too much', 'x'.repeat(1 << 20), /longer than 65536 bytes/],
	['what mediasoup refuses', `${JSON.stringify({ import: { id: 'x', ...audioProducer({ codecs: [{}] }), paused: false } })}\n`, /mediasoup refused/],
]) {
	test(`the worker says ${what}`, async () => {
		await FakeWorker.saying(7, text);
		await refused('FAILED', message);
		assert.equal(await transports(), 0);
	});
}

test('a codec that the Router does not have', async () => {
	const worker = await FakeWorker.offering(7, videoProducer);
	ctx.router = await ctx.worker.createRouter({ mediaCodecs: [OPUS] });
	await refused('UNSUPPORTED', /unsupported codec/);
	await within('the offer is given back', worker.connections[0].ended);
	assert.equal(await transports(), 0);
});

test('a Router that closes meanwhile', async () => {
	await new FakeWorker(7, say => {
		ctx.router.close();
		say(`${JSON.stringify({ import: { id: 'x', ...audioProducer(), paused: false } })}\n`);
	}).listen();
	await refused('ROUTER_NOT_FOUND', /closed/);
});

test('a worker that does not answer', async () => {
	const worker = await new FakeWorker(7, () => {}).listen();
	await refused('TIMEOUT', /longer than 50 ms/, { timeout: 50 });
	await within('the question is dropped', worker.connections[0].ended);
});

test('a Producer that comes too late is closed', async () => {
	const worker = await FakeWorker.offering(7, audioProducer);
	let go;
	const gate = new Promise(resolve => (go = resolve));
	const slow = { id: ctx.router.id, createPipeTransport: options => gate.then(() => ctx.router.createPipeTransport(options)) };
	await assert.rejects(importProducer(slow, 'original', { timeout: 50 }), { code: 'TIMEOUT' });
	await Promise.all(worker.connections.map(({ ended }) => ended));
	const made = new Promise(resolve => ctx.router.observer.once('newtransport', resolve));
	go();
	await closed(await made);
});

test('wrong arguments', async () => {
	await assert.rejects(importProducer({}, 'x'), TypeError);
	await assert.rejects(importProducer(undefined, 'x'), TypeError);
	await assert.rejects(importProducer(ctx.router, ''), TypeError);
	await assert.rejects(importProducer(ctx.router, 7), TypeError);
	await assert.rejects(importDataProducer(ctx.router, 7), { name: 'TypeError', message: /dataProducerId must be the id of a DataProducer/ });
	for (const timeout of [0, -1, NaN, Infinity, 'soon']) {
		await assert.rejects(importProducer(ctx.router, 'x', { timeout }), TypeError);
	}
});
