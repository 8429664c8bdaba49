'use strict';
// Producers and data producers of other applications of a cluster, by the workers of this process.
const { ask } = require('./lib/ask.js');
const { ImportError, reasonOf } = require('./lib/errors.js');
const { pipeOf } = require('./lib/pipe.js');

const TIMEOUT_MS = 10_000; // after which the worker gives up an offer that nobody takes

const MEDIA = {
	idName: 'producerId',
	produce: (transport, { id, kind, rtpParameters, paused }, appData) =>
		transport.produce({ id, kind, rtpParameters, paused, appData }),
};
const DATA = {
	idName: 'dataProducerId',
	produce: (transport, { id, sctpStreamParameters, label, protocol, paused }, appData) =>
		transport.produceData({ id, sctpStreamParameters, label, protocol, paused, appData }),
};

const importProducer = (router, producerId, options) => importAs(MEDIA, router, producerId, options);
const importDataProducer = (router, dataProducerId, options) => importAs(DATA, router, dataProducerId, options);

async function importAs(what, router, original, { appData, timeout = TIMEOUT_MS } = {}) {
	if (typeof router?.createPipeTransport !== 'function') {
		throw new TypeError('router must be a Router of mediasoup');
	} else if (typeof original !== 'string' || original === '') {
		throw new TypeError(`${what.idName} must be the id of a ${what === DATA ? 'DataProducer' : 'Producer'}`);
	} else if (!(timeout > 0 && timeout <= 0x7fffffff)) {
		throw new TypeError('timeout must be a number of milliseconds');
	}
	const deadline = deadlineOf(timeout);
	const question = ask({ routerId: router.id, [what.idName]: original });
	let making;
	try {
		const { offer, events, socket } = await Promise.race([question.answer, deadline.passed]);
		making = produce(what, router, offer, appData);
		const producer = await Promise.race([making, deadline.passed]);
		producer.observer.once('close', () => socket.destroy());
		follow(producer, events);
		return producer;
	} catch (error) {
		question.drop();
		making?.then(producer => producer.close(), () => {});
		throw error;
	} finally {
		deadline.clear();
	}
}

function deadlineOf(timeout) {
	let timer;
	const passed = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new ImportError('TIMEOUT', `the import took longer than ${timeout} ms`)), timeout);
	});
	passed.catch(() => {}); // whether somebody waits or not
	return { passed, clear: () => clearTimeout(timer) };
}

// produce makes what the worker has offered. It is on the Router's pipe, which ends with the last of them.
async function produce(what, router, offer, appData) {
	const pipe = pipeOf(router);
	try {
		const producer = await what.produce(await pipe.transport, offer, appData);
		producer.observer.once('close', () => pipe.leave());
		return producer;
	} catch (error) {
		pipe.leave();
		throw reasonOf(error, router);
	}
}

// follow has the Producer or DataProducer do as the original does. One that cannot follow any more is closed: nobody would know what it
// stands for.
async function follow(producer, events) {
	await new Promise(setImmediate); // whoever waited for it has it, and listens, before the first news
	try {
		for await (const { event } of events) {
			if (event === 'closed') {
				break;
			} else if (event === 'paused') {
				await producer.pause();
			} else if (event === 'resumed') {
				await producer.resume();
			}
		}
	} catch {
		// The connection has ended, or the worker.
	}
	producer.close();
}

module.exports = { importProducer, importDataProducer, ImportError };
