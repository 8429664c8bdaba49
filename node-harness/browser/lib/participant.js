// One end of a call: a page in a browser and its two transports on the server.
import { until } from './wait.js';
import { Relay } from '../../lib/relay.js';

const LISTEN_INFOS = [{ protocol: 'udp', ip: '127.0.0.1' }, { protocol: 'tcp', ip: '127.0.0.1' }];

export class Participant {
	producers = new Map();
	dataProducers = new Map();
	relays = {};

	// join opens a page and creates the transports. capabilities are the router's for the page. With relayed, each transport
	// can be reached only through a relay (relays). dtlsRole is the page's: 'client' (the browser's choice) or 'server'.
	static async join(browser, router, {
		transportOptions = {}, capabilities = router.rtpCapabilities, relayed = false, dtlsRole,
	} = {}) {
		const self = new Participant();
		self.router = router;
		self.page = await browser.page((method, data) => self.#signal(method, data));
		self.rtpCapabilities = await self.call('load', capabilities);
		if (dtlsRole === 'server') {
			await self.call('answerAsDtlsServer');
		}
		for (const direction of ['send', 'recv']) {
			const transport = await router.createWebRtcTransport({
				...(transportOptions.webRtcServer ? {} : { listenInfos: LISTEN_INFOS }), enableSctp: true, ...transportOptions,
			});
			await self.use(direction, transport, { relayed, dtlsRole });
		}
		return self;
	}

	// use makes a new transport the one of a direction. What goes over an earlier one goes on.
	async use(direction, transport, { relayed = false, dtlsRole } = {}) {
		this[direction] = transport;
		const { id, iceParameters, sctpParameters } = transport;
		const iceCandidates = relayed ? (this.relays[direction] = await Relay.before(transport)).candidates : transport.iceCandidates;
		const dtlsParameters = { ...transport.dtlsParameters, ...(dtlsRole && { role: dtlsRole === 'client' ? 'server' : 'client' }) };
		await this.call('createTransport', direction, { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters });
	}

	async leave() {
		await this.page.close();
		Object.values(this.relays).forEach(relay => relay.close());
	}

	// call runs a function of window.peer.
	call(name, ...args) {
		return this.page.evaluate(([name, args]) => window.peer[name](...args), [name, args]);
	}

	async #signal(method, data) {
		switch (method) {
			case 'connect':
				return this[data.direction].connect({ dtlsParameters: data.dtlsParameters });
			case 'produce': {
				const { kind, rtpParameters } = data;
				const producer = await this.send.produce({ kind, rtpParameters });
				this.producers.set(producer.id, producer);
				return producer.id;
			}
			case 'produceData': {
				const { sctpStreamParameters, label, protocol } = data;
				const producer = await this.send.produceData({ sctpStreamParameters, label, protocol });
				this.dataProducers.set(producer.id, producer);
				return producer.id;
			}
			default:
				throw new Error(`no method called ${method}`);
		}
	}

	async produce(options) {
		return this.producers.get(await this.call('produce', options));
	}

	async produceData(options) {
		return this.dataProducers.get(await this.call('produceData', options));
	}

	// consume creates a consumer that starts when the page is ready for it.
	async consume(producer, options = {}) {
		const consumer = await this.recv.consume({
			producerId: producer.id, rtpCapabilities: this.rtpCapabilities, paused: true, ...options,
		});
		const { id, kind, rtpParameters } = consumer;
		await this.call('consume', { id, producerId: producer.id, kind, rtpParameters });
		await consumer.resume();
		return consumer;
	}

	async consumeData(dataProducer, options = {}) {
		const consumer = await this.recv.consumeData({ dataProducerId: dataProducer.id, ...options });
		const { id, sctpStreamParameters, label, protocol } = consumer;
		await this.call('consumeData', { id, dataProducerId: dataProducer.id, sctpStreamParameters, label, protocol });
		return consumer;
	}

	stats(consumer) {
		return this.call('consumerStats', consumer.id);
	}

	// sees waits until the browser's statistics of a consumer meet a condition, and returns them.
	sees(what, consumer, check) {
		return until(what, async () => {
			const stats = await this.stats(consumer);
			return stats && check(stats) ? stats : undefined;
		});
	}
}
