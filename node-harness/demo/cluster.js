// The cluster demo: six people in one room of an ordinary mediasoup application. Their transports are spread over three nodes,
// which is all that the environment says; then one node is killed, and those on the others go on. The application's half uses
// only mediasoup's public API.
import * as dgram from 'node:dgram';
import * as path from 'node:path';
import * as mediasoup from 'mediasoup';
import { createCertificates, killNode, showStatus, startNode } from '../lib/nodes.js';
import { PATIENCE_MS, until, within } from '../lib/wait.js';

const OUT = path.join(import.meta.dirname, '..', '..', 'build', 'demo-cluster');
const TLS = path.join(OUT, 'tls');
const HOSTS = { a: '127.0.1.1', b: '127.0.1.2', c: '127.0.1.3' };
const PEOPLE = ['Ann', 'Bob', 'Cem', 'Dan', 'Eve', 'Fay'];
const PACKET_MS = 20;
const PAYLOAD_TYPE = 100;
const LEASE_MS = 31_000; // after which a node that is silent has surely given up what it held
const ENOUGH_PACKETS = 100; // two seconds of sound from each of the others

const codec = { mimeType: 'audio/opus', clockRate: 48000, channels: 2 };
const mediaCodecs = [{ kind: 'audio', ...codec, preferredPayloadType: PAYLOAD_TYPE }];
const LISTEN = { listenInfo: { protocol: 'udp', ip: '0.0.0.0' }, rtcpMux: true };

// Person sends sound and counts what arrives of the others.
class Person {
	constructor(name, ssrc) {
		Object.assign(this, { name, ssrc, seq: 0, heard: new Map(), closedBy: [] });
		this.socket = dgram.createSocket('udp4');
		this.socket.on('message', packet => this.hear(packet));
	}

	async join(router) {
		await new Promise(resolve => this.socket.bind(0, '127.0.0.1', resolve));
		this.transport = await router.createPlainTransport({ ...LISTEN, comedia: false });
		await this.transport.connect({ ip: '127.0.0.1', port: this.socket.address().port });
		this.producer = await this.transport.produce({
			kind: 'audio',
			rtpParameters: { codecs: [{ ...codec, payloadType: PAYLOAD_TYPE }], encodings: [{ ssrc: this.ssrc }] },
		});
		this.timer = setInterval(() => this.speak(), PACKET_MS);
	}

	async listenTo(other, router) {
		const consumer = await this.transport.consume({ producerId: other.producer.id, rtpCapabilities: router.rtpCapabilities });
		consumer.on('producerclose', () => this.closedBy.push(other.name));
		this.heard.set(consumer.rtpParameters.encodings[0].ssrc, { other, packets: 0 });
	}

	speak() {
		const packet = Buffer.alloc(12 + 60);
		packet.writeUInt8(0x80, 0);
		packet.writeUInt8(PAYLOAD_TYPE, 1);
		packet.writeUInt16BE(this.seq & 0xffff, 2);
		packet.writeUInt32BE((this.seq * 960) >>> 0, 4);
		packet.writeUInt32BE(this.ssrc, 8);
		this.seq++;
		const { localAddress, localPort } = this.transport.tuple;
		this.socket.send(packet, localPort, localAddress);
	}

	hear(packet) {
		// RTP, not RTCP, by the payload type (RFC 5761).
		const entry = (packet[1] & 0x7f) === PAYLOAD_TYPE && this.heard.get(packet.readUInt32BE(8));
		if (entry) {
			entry.packets++;
		}
	}

	// hears returns the names of those of whom enough arrived since forget.
	hears() {
		return [...this.heard.values()].filter(({ packets }) => packets >= ENOUGH_PACKETS).map(({ other }) => other.name);
	}

	forget() {
		for (const entry of this.heard.values()) {
			entry.packets = 0;
		}
	}

	leave() {
		clearInterval(this.timer);
		this.socket.close();
	}
}

function nodeOf(person, nodes) {
	return nodes.find(({ ip }) => ip === person.transport.tuple.localAddress);
}

// show draws who is where, and whom each one hears.
function show(title, people, nodes) {
	console.log(`\n${title}\n`);
	for (const node of nodes) {
		const here = people.filter(person => nodeOf(person, nodes) === node);
		const state = node.child.exitCode === null && node.child.signalCode === null ? '' : '  (killed)';
		console.log(`  ┌─ node ${node.name}, ${node.ip} ${'─'.repeat(46)}${state}`);
		for (const person of here) {
			console.log(`  │ ${person.name} hears ${person.hears().join(', ') || 'nobody'}`);
		}
	}
}

async function enter(router) {
	const people = PEOPLE.map((name, i) => new Person(name, 1000 + i));
	for (const person of people) {
		await person.join(router);
	}
	for (const person of people) {
		await Promise.all(people.filter(other => other !== person).map(other => person.listenTo(other, router)));
	}
	return people;
}

async function scene(router, nodes) {
	const people = await enter(router);
	await until('all hear all', () => people.every(person => person.hears().length === people.length - 1));
	show('Six people in one Router, on three nodes:', people, nodes);
	console.log();
	showStatus(nodes, TLS);

	const victim = nodes[1];
	console.log(`Now node ${victim.name} is killed.`);
	await killNode(victim);
	const left = people.filter(person => nodeOf(person, nodes) !== victim);
	people.forEach(person => person.forget());
	await until('those on the other nodes hear each other', () => left.every(person => person.hears().length === left.length - 1));
	show(`Two seconds of sound later, node ${victim.name} still dead:`, people, nodes);

	const gone = people.filter(person => !left.includes(person)).map(({ name }) => name);
	const known = () => left.every(person => gone.every(name => person.closedBy.includes(name)));
	await until('the application knows', known, { timeout: LEASE_MS + PATIENCE_MS });
	console.log(`\nThe application was told ("producerclose") that the streams of ${gone.join(' and ')} have ended.`);

	const guest = new Person('Guy', 2000);
	await guest.join(router);
	await guest.listenTo(left[0], router);
	await until('the guest hears', () => guest.hears().length === 1);
	console.log(`${guest.name} has come since, was placed on node ${nodeOf(guest, nodes).name}, and hears ${guest.hears()}.`);

	const port = victim.address.slice(victim.address.lastIndexOf(':') + 1);
	Object.assign(victim, await startNode(victim.name, victim.ip, TLS, OUT, port));
	const late = await comeTo(victim, router, nodes);
	await late.listenTo(left[0], router);
	await until('who came last hears', () => late.hears().length === 1);
	console.log(`Node ${victim.name} has been started again: ${late.name} is on it, and hears ${late.hears()}.`);
	[...people, guest, late].forEach(person => person.leave());
}

// comeTo has people enter until one is placed on the given node, which happens once the application has reached it.
function comeTo(node, router, nodes) {
	return until(`node ${node.name} takes somebody`, async () => {
		const person = new Person('Hal', 3000);
		await person.join(router);
		if (nodeOf(person, nodes) === node) {
			return person;
		}
		person.leave();
		person.transport.close();
		return undefined;
	}, { interval: 200 });
}

async function main() {
	createCertificates(TLS, Object.keys(HOSTS));
	const nodes = await Promise.all(Object.entries(HOSTS).map(([name, ip]) => startNode(name, ip, TLS, OUT)));
	try {
		// All that an application needs: its environment.
		process.env.GAZPACHO_CLUSTER = nodes.map(({ address }) => address).join(',');
		process.env.GAZPACHO_TLS_DIR = TLS;
		process.env.GAZPACHO_PLACEMENT = 'spread';
		const worker = await mediasoup.createWorker();
		worker.once('died', error => {
			throw error;
		});
		await scene(await worker.createRouter({ mediaCodecs }), nodes);
		const ended = new Promise(resolve => worker.once('subprocessclose', resolve));
		worker.close();
		await within('the worker has ended', ended);
	} finally {
		nodes.forEach(({ child }) => child.kill('SIGKILL'));
	}
	console.log('\ncluster demo: passed');
}

await main();
