// A town of rooms, on one worker, where everything happens all the time: what an application does and what becomes of its people, drawn
// from a seed. When it is emptied, nothing may be left.
import { setTimeout as pause } from 'node:timers/promises';
import * as mediasoup from 'mediasoup';
import { importProducer } from '../gazpacho/import-producer.js';
import { Chance } from '../lib/random.js';
import { keep, newcomer, residents } from './people.js';

const TICK_MS = 20;
const MAX_ROOMS = 6; // one of which is the home
const MAX_PEOPLE = 8; // in a room
const MAX_CONSUMERS = 10; // of a person
const MAX_UNDER_WAY = 100; // acts: a machine that is too slow does less
// CODECS have the payload types of the crowd.
const CODECS = [
	{ kind: 'audio', mimeType: 'audio/opus', preferredPayloadType: 111, clockRate: 48000, channels: 2 },
	{ kind: 'video', mimeType: 'video/VP8', preferredPayloadType: 96, clockRate: 90000 },
	{ kind: 'video', mimeType: 'video/VP9', preferredPayloadType: 98, clockRate: 90000 },
];
const TRACES = ['rtp', 'keyframe', 'nack', 'pli', 'fir'];

// ACTS are what happens, and how often in comparison.
const ACTS = {
	open: 1, close: 0.7, come: 8, comeAndGo: 2, leave: 4, vanish: 2, restart: 3,
	say: 10, unsay: 3, hear: 16, unhear: 6, write: 4, unwrite: 1, read: 5, unread: 2, send: 4,
	pauseProducer: 3, pauseConsumer: 4, prefer: 5, keyFrame: 4, ask: 10, trace: 3, limit: 2,
	watch: 2, unwatch: 1, pipe: 2, tie: 1, import: 4, employ: 0.1,
};

// Room has two Routers, so that there is something to pipe; the home has one. What is in it forgets itself when it is closed.
class Room {
	people = [];
	producers = []; // { router, object }
	dataProducers = [];
	observers = [];

	constructor(routers) {
		this.routers = routers;
	}

	// add has the producers, or data producers, of a Router hold one.
	add(list, router, object) {
		const entry = { router, object };
		list.push(entry);
		object.observer.once('close', () => list.splice(list.indexOf(entry), 1));
		if (router.closed) {
			object.close();
		}
	}

	// move has a person be in the room until they are gone.
	move(person) {
		keep(this.people, Object.assign(person, { observer: person.transport.observer }));
	}

	// clear closes everything but the Router and those who stay.
	clear() {
		this.people.filter(({ stays }) => !stays).forEach(({ transport }) => transport.close());
		const lists = [this.producers.map(({ object }) => object), this.dataProducers.map(({ object }) => object), this.observers];
		const own = this.people.map(({ consumers, dataConsumers }) => [...consumers, ...dataConsumers]);
		[...lists, ...own].flat().forEach(object => object.close());
	}

	of(list, router) {
		return list.filter(entry => entry.router === router).map(({ object }) => object);
	}

	get crowd() {
		return this.people.filter(({ here }) => here);
	}
}

export class Town {
	rooms = [];
	foreign = []; // ids of another application's producers
	done = {}; // how often each act was done
	refused = {}; // how often what was refused, by the reason
	recorded = 0; // packets
	#underWay = new Set();
	#people = 0;

	// ip is where transports listen.
	constructor(worker, crowd, ip, seed) {
		const ports = ['udp', 'tcp'].map(protocol => ({ protocol, ip }));
		Object.assign(this, { worker, crowd, ports, chance: new Chance(seed) });
	}

	nextPerson() {
		return ++this.#people;
	}

	// settle makes the home, a Router that stays for as long as the town, with people who stay too: what is made and closed on transports that
	// last for weeks must not add up there either.
	async settle() {
		this.home = new Room([await this.worker.createRouter({ mediaCodecs: CODECS })]);
		for (const [person, how] of residents(this, this.home.routers[0])) {
			await person.come(how);
			this.home.move(person);
		}
		this.rooms.push(this.home);
	}

	// lasting are the objects that are not closed when the town is emptied.
	get lasting() {
		return [...this.home.routers, ...this.home.people.map(({ transport }) => transport)];
	}

	// live has so many acts a second happen, for a while.
	async live(seconds, rate) {
		this.server = await this.worker.createWebRtcServer({ listenInfos: this.ports });
		const begun = performance.now();
		for (let acts = 0, now; (now = (performance.now() - begun) / 1000) < seconds;) {
			for (; acts < now * rate; acts++) {
				if (this.#underWay.size < MAX_UNDER_WAY) {
					this.#act(this.chance.weighted(ACTS));
				}
			}
			await pause(TICK_MS);
		}
	}

	// empty closes everything but the home and its residents' transports.
	async empty() {
		this.#closeAll();
		while (this.#underWay.size > 0) {
			await Promise.all(this.#underWay);
		}
		this.#closeAll(); // what acts under way have made
		this.server.close();
	}

	#closeAll() {
		this.rooms.splice(0).filter(room => room !== this.home).forEach(({ routers }) => routers.forEach(router => router.close()));
		this.home.clear();
		this.rooms.push(this.home);
	}

	// origins are the ids of producers that another application may import.
	get origins() {
		return this.rooms.flatMap(({ producers }) => producers.filter(({ object }) => !object.appData.imported).map(({ object }) => object.id));
	}

	#act(name) {
		const room = this.chance.of(this.rooms);
		if (!room && name !== 'open' || name === 'import' && this.foreign.length === 0) {
			return;
		}
		const act = Promise.resolve().then(() => this[name](room)).then(() => {
			this.done[name] = (this.done[name] ?? 0) + 1;
		}, error => {
			const reason = `${name}: ${error.message.replace(/[0-9a-f]{8}-[0-9a-f-]{27}|\d+/g, '…').slice(0, 160)}`;
			this.refused[reason] = (this.refused[reason] ?? 0) + 1;
		}).finally(() => this.#underWay.delete(act));
		this.#underWay.add(act);
	}

	// Rooms and people.

	async open() {
		if (this.rooms.length >= MAX_ROOMS) {
			return;
		}
		const routers = [];
		for (let i = 0; i < 2; i++) {
			routers.push(await this.worker.createRouter({ mediaCodecs: CODECS }));
		}
		this.rooms.push(new Room(routers));
	}

	close(room) {
		if (room !== this.home) {
			this.rooms.splice(this.rooms.indexOf(room), 1);
			room.routers.forEach(router => router.close());
		}
	}

	async come(room) {
		if (room.people.length < MAX_PEOPLE) {
			const [person, how] = newcomer(this, this.chance.of(room.routers));
			await person.come(how);
			room.move(person);
		}
	}

	// comeAndGo has somebody's transport closed while they are about to connect.
	async comeAndGo(room) {
		const [person, how] = newcomer(this, this.chance.of(room.routers));
		const coming = person.come(how).catch(() => {}); // it was closed meanwhile
		await pause(this.chance.below(100));
		person.transport?.close();
		await coming;
		person.transport?.close();
	}

	leave(room) {
		this.chance.of(room.crowd.filter(({ stays }) => !stays))?.transport.close();
	}

	vanish(room) {
		this.chance.of(room.crowd.filter(person => person.vanish && !person.stays && !person.gone && !person.habits.tcp))?.vanish();
	}

	restart(room) {
		return this.chance.of(room.crowd.filter(person => person.restart && !person.gone))?.restart();
	}

	// Media.

	async say(room) {
		const person = this.chance.of(room.crowd);
		const what = this.chance.of(person?.unsaid ?? []);
		if (what) {
			room.add(room.producers, person.router, await person.say(what));
		}
	}

	unsay(room) {
		this.chance.of(room.producers)?.object.close();
	}

	async hear(room) {
		const person = this.chance.of(room.crowd.filter(({ consumers }) => consumers.length < MAX_CONSUMERS));
		const producer = person && this.chance.of(room.of(room.producers, person.router));
		if (producer) {
			const consumer = await person.consume(producer, { paused: this.chance.happens(0.3), enableRtx: this.chance.happens(0.5) });
			consumer.on('trace', () => {});
		}
	}

	unhear(room) {
		this.#consumer(room)?.close();
	}

	async pauseProducer(room) {
		const producer = this.chance.of(room.producers)?.object;
		await producer?.pause();
		await pause(this.chance.below(300));
		await producer?.resume();
	}

	async pauseConsumer(room) {
		const consumer = this.#consumer(room);
		await (consumer?.paused ? consumer.resume() : consumer?.pause());
	}

	async prefer(room) {
		const consumer = this.#consumer(room);
		if (consumer?.kind === 'video') {
			await consumer.setPreferredLayers({ spatialLayer: this.chance.below(3), temporalLayer: this.chance.below(2) });
			await consumer.setPriority(1 + this.chance.below(255));
		}
	}

	keyFrame(room) {
		return this.#consumer(room)?.requestKeyFrame();
	}

	// Data.

	async write(room) {
		const person = this.chance.of(room.crowd.filter(({ data }) => data));
		if (person && !person.writes) {
			person.writes = true;
			const producer = await person.write();
			producer.observer.once('close', () => (person.writes = false));
			room.add(room.dataProducers, person.router, producer);
		}
	}

	unwrite(room) {
		this.chance.of(room.dataProducers)?.object.close();
	}

	async read(room) {
		const person = this.chance.of(room.crowd.filter(({ data, dataConsumers }) => data && dataConsumers.length < MAX_CONSUMERS));
		const producer = person && this.chance.of(room.of(room.dataProducers, person.router));
		if (producer) {
			await person.consumeData(producer);
		}
	}

	unread(room) {
		this.#dataConsumer(room)?.close();
	}

	// send has the application write: as a bot, or to one reader.
	async send(room) {
		const bot = this.chance.of(room.dataProducers.filter(({ object }) => object.type === 'direct'));
		bot?.object.send(Buffer.alloc(this.chance.below(2000) + 1));
		const consumer = this.#dataConsumer(room);
		if (consumer) {
			await (consumer.paused ? consumer.resume() : consumer.pause());
			await consumer.setSubchannels([this.chance.below(10)]);
			if (consumer.type === 'sctp') {
				await consumer.setBufferedAmountLowThreshold(this.chance.below(1000));
			}
		}
	}

	// Questions and settings.

	async ask(room) {
		const object = this.#anything(room);
		await object.dump?.();
		await object.getStats?.();
	}

	async trace(room) {
		const object = this.chance.of([this.#consumer(room), this.chance.of(room.producers)?.object].filter(Boolean));
		await object?.enableTraceEvent(this.chance.happens(0.5) ? TRACES : []);
		const transport = this.chance.of(room.crowd)?.transport;
		await transport?.enableTraceEvent(this.chance.happens(0.5) ? ['probation', 'bwe'] : []);
	}

	async limit(room) {
		const transport = this.chance.of(room.crowd.filter(({ habits }) => habits))?.transport;
		await transport?.setMaxIncomingBitrate(300_000 + this.chance.below(1_000_000));
		await transport?.setMaxOutgoingBitrate(300_000 + this.chance.below(1_000_000));
	}

	// Observers, and what leads elsewhere.

	async watch(room) {
		const router = this.chance.of(room.routers);
		const observer = await (this.chance.happens(0.5) ? router.createAudioLevelObserver({ interval: 250 }) : router.createActiveSpeakerObserver());
		keep(room.observers, observer);
		const voices = room.of(room.producers, router).filter(({ kind }) => kind === 'audio');
		await Promise.all(voices.map(({ id }) => observer.addProducer({ producerId: id })));
		await (this.chance.happens(0.5) ? observer.pause() : voices[0] && observer.removeProducer({ producerId: voices[0].id }));
	}

	unwatch(room) {
		this.chance.of(room.observers)?.close();
	}

	// pipe has the other Router of the room have a producer, or a data producer, too.
	async pipe(room) {
		const list = this.chance.happens(0.7) ? room.producers : room.dataProducers;
		const { router, object } = this.chance.of(list.filter(entry => !entry.object.appData.piped)) ?? {};
		if (!object || room === this.home) {
			return;
		}
		const other = room.routers.find(candidate => candidate !== router);
		const what = list === room.producers ? { producerId: object.id } : { dataProducerId: object.id };
		const ends = await router.pipeToRouter({ ...what, router: other, keepId: false });
		const twin = ends.pipeProducer ?? ends.pipeDataProducer;
		twin.appData.piped = true;
		room.add(list, other, twin);
	}

	// tie ties the Routers by PipeTransports with SRTP, by hand.
	async tie(room) {
		if (room === this.home) {
			return;
		}
		const options = { listenInfo: this.ports[0], enableSrtp: true, enableRtx: this.chance.happens(0.5), enableSctp: true };
		const ends = await Promise.all(room.routers.map(router => router.createPipeTransport(options)));
		await Promise.all(ends.map((end, i) => {
			const { tuple, srtpParameters } = ends[1 - i];
			return end.connect({ ip: tuple.localAddress, port: tuple.localPort, srtpParameters });
		}));
		await pause(this.chance.below(1000));
		ends.forEach(end => end.close());
	}

	// import has the room show a producer of another application.
	async import(room) {
		const router = this.chance.of(room.routers);
		const producer = await importProducer(router, this.chance.of(this.foreign), { appData: { imported: true } });
		room.add(room.producers, router, producer);
	}

	// employ has another worker come, which is closed or killed.
	async employ() {
		const worker = await mediasoup.createWorker({ logLevel: 'none' });
		const ended = new Promise(resolve => worker.once('subprocessclose', resolve));
		const router = await worker.createRouter({ mediaCodecs: CODECS });
		await router.createWebRtcTransport({ listenInfos: this.ports, enableSctp: true });
		await pause(this.chance.below(1000));
		if (this.chance.happens(0.7)) {
			worker.close();
		} else {
			process.kill(worker.pid, 'SIGKILL');
		}
		await ended;
	}

	#consumer(room) {
		return this.chance.of(room.crowd.flatMap(({ consumers }) => consumers));
	}

	#dataConsumer(room) {
		return this.chance.of(room.crowd.flatMap(({ dataConsumers }) => dataConsumers));
	}

	#anything(room) {
		const objects = [
			this.worker, this.chance.of(room.routers), this.chance.of(room.crowd)?.transport, this.#consumer(room), this.#dataConsumer(room),
			this.chance.of(room.producers)?.object, this.chance.of(room.dataProducers)?.object,
		];
		return this.chance.of(objects.filter(Boolean));
	}
}
