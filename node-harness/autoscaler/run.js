// The example autoscaler (deploy/autoscaler) at work: an unchanged application opens rooms until there are four nodes, and closes them until
// there is one again. The load is that of what the nodes send and receive, of a network that is said to be small; CPU time does not matter, so that
// a busy machine does neither.
import { spawn } from 'node:child_process';
import * as crypto from 'node:crypto';
import * as dgram from 'node:dgram';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as mediasoup from 'mediasoup';
import { clusterStatus, createCertificates, freePorts } from '../lib/nodes.js';
import { guard } from '../lib/processes.js';
import { until, within } from '../lib/wait.js';

const ROOT = path.join(import.meta.dirname, '..', '..');
const OUT = path.join(ROOT, 'build', 'autoscaler');
const TLS = path.join(OUT, 'tls');
const IP = '127.0.2.1';
const MOST = 4;
const MBIT = 1; // of each node's network
const PACKET_MS = 50;
const PACKET_BYTES = 300; // 48 kbit/s for each room in each direction: nine rooms fill a node
const PAYLOAD_TYPE = 100;
const PATIENCE = { timeout: 120_000, interval: 100 };

const codec = { mimeType: 'audio/opus', clockRate: 48000, channels: 2 };
const LISTEN = { listenInfo: { protocol: 'udp', ip: '0.0.0.0' }, rtcpMux: true };

// Room is one person who speaks and one who listens.
class Room {
	heard = 0;
	lost = [];

	constructor(worker, ssrc) {
		Object.assign(this, { worker, ssrc, seq: 0 });
	}

	async open() {
		this.socket = dgram.createSocket('udp4');
		this.socket.on('message', packet => (this.heard += (packet[1] & 0x7f) === PAYLOAD_TYPE));
		await new Promise(resolve => this.socket.bind(0, IP, resolve));
		this.router = await this.worker.createRouter({ mediaCodecs: [{ kind: 'audio', ...codec, preferredPayloadType: PAYLOAD_TYPE }] });
		const [speaker, listener] = [await this.router.createPlainTransport(LISTEN), await this.router.createPlainTransport(LISTEN)];
		await speaker.connect({ ip: IP, port: this.socket.address().port });
		await listener.connect({ ip: IP, port: this.socket.address().port });
		const producer = await speaker.produce({
			kind: 'audio', rtpParameters: { codecs: [{ ...codec, payloadType: PAYLOAD_TYPE }], encodings: [{ ssrc: this.ssrc }] },
		});
		this.to = speaker.tuple;
		const consumer = await listener.consume({ producerId: producer.id, rtpCapabilities: this.router.rtpCapabilities });
		consumer.on('producerclose', () => this.lost.push('producerclose'));
		consumer.on('transportclose', () => this.closed || this.lost.push('transportclose'));
		this.timer = setInterval(() => this.speak(), PACKET_MS);
	}

	speak() {
		const packet = Buffer.alloc(PACKET_BYTES);
		packet.writeUInt8(0x80, 0);
		packet.writeUInt8(PAYLOAD_TYPE, 1);
		packet.writeUInt16BE(this.seq & 0xffff, 2);
		packet.writeUInt32BE((this.seq++ * 2400) >>> 0, 4);
		packet.writeUInt32BE(this.ssrc, 8);
		this.socket.send(packet, this.to.localPort, this.to.localAddress);
	}

	close() {
		this.closed = true;
		clearInterval(this.timer);
		this.router.close();
		this.socket.close();
	}
}

// Scaler is the example, as a process.
class Scaler {
	lines = [];

	constructor(options, environment) {
		const log = fs.openSync(path.join(OUT, 'nodes.log'), 'a');
		this.child = guard(spawn(process.execPath, [path.join(ROOT, 'deploy', 'autoscaler', 'autoscaler.mjs'), ...options], {
			env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', log],
		}));
		fs.closeSync(log);
		let rest = '';
		this.child.stdout.on('data', data => {
			const lines = (rest + data).split('\n');
			rest = lines.pop();
			this.lines.push(...lines.filter(line => !line.startsWith('node ')).map(line => line.slice(line.indexOf(' ') + 1)));
		});
	}

	count(pattern) {
		return this.lines.filter(line => pattern.test(line)).length;
	}

	get running() {
		return this.count(/^start /) - this.count(/ has ended /);
	}

	// short says whether capacity is, as far as the scaler has been told.
	get short() {
		return this.count(/^capacity-short .*begin/) > this.count(/^capacity-short .*end/);
	}

	async stop() {
		const ended = new Promise(resolve => this.child.once('exit', resolve));
		this.child.kill('SIGTERM');
		await within('the autoscaler ends', ended);
	}
}

// serving returns the names of nodes that take rooms, with what they have.
async function serving(address) {
	const rows = await clusterStatus([{ address }], TLS);
	return rows.filter(row => row.condition === 'alive' && !row.draining && row.status);
}

async function grow(worker, scaler, address, rooms) {
	for (let nodes = 1; nodes < MOST; nodes++) {
		while (!scaler.short) {
			const room = new Room(worker, 1000 + rooms.length);
			rooms.push(room);
			await room.open();
			await new Promise(resolve => setTimeout(resolve, 400)); // as people come
		}
		await until(`node ${nodes + 1} serves`, async () => (await serving(address)).length > nodes, PATIENCE);
		await until('capacity is short no more', () => !scaler.short, PATIENCE);
		console.log(`${rooms.length} rooms, ${scaler.running} nodes`);
	}
}

async function shrink(scaler, address, rooms) {
	const used = async () => (await serving(address)).filter(row => row.load.transports > 0).length;
	console.log(`rooms are on ${await used()} nodes; they close one after the other`);
	while (rooms.length > 0) {
		rooms.pop().close();
		await new Promise(resolve => setTimeout(resolve, 200)); // as people leave
	}
	await until('one node is left', () => scaler.running === 1, PATIENCE);
	await until('all know', async () => (await serving(address)).length === 1, PATIENCE);
}

// requireOnce requires that no signal was told twice while it lasted.
function requireOnce(lines) {
	const lasting = new Set();
	for (const [, what, state] of lines.map(line => /^(capacity-short .*|node-idle .*) (begin|end)$/.exec(line)).filter(Boolean)) {
		if (lasting.has(what) === (state === 'begin')) {
			throw new Error(`${what} ${state} is told twice:\n${lines.join('\n')}`);
		}
		lasting[state === 'begin' ? 'add' : 'delete'](what);
	}
}

async function scene(scaler, address) {
	await until('the first node serves', async () => (await serving(address).catch(() => [])).length === 1, PATIENCE);
	Object.assign(process.env, { GAZPACHO_CLUSTER: address, GAZPACHO_TLS_DIR: TLS, GAZPACHO_LOAD_LIMIT: '0' });
	const worker = await mediasoup.createWorker({ logLevel: 'warn' });
	const rooms = [];
	await grow(worker, scaler, address, rooms);
	const all = [...rooms];
	await until('everybody hears', () => all.every(room => room.heard > 0));
	await shrink(scaler, address, rooms);
	const lost = all.flatMap(room => room.lost);
	const failed = scaler.count(/ has ended with code [^0]/);
	if (lost.length > 0 || failed > 0 || scaler.count(/^node-drained /) === 0) {
		throw new Error(`rooms lost ${lost}, ${failed} nodes failed:\n${scaler.lines.join('\n')}`);
	}
	worker.close();
}

fs.rmSync(OUT, { recursive: true, force: true });
fs.mkdirSync(OUT, { recursive: true });
createCertificates(TLS, ['n1', 'n2', 'n3', 'n4']);
const secretFile = path.join(OUT, 'secret');
fs.writeFileSync(secretFile, crypto.randomBytes(32).toString('hex'), { mode: 0o600 });
const [port, bus, webhook] = [await freePorts(IP), await freePorts(IP), await freePorts('127.0.0.1')];
const scaler = new Scaler([
	'--listen', `${IP}:0`, '--join', `${IP}:${bus}`, '--tls-dir', TLS, '--webhook', `http://127.0.0.1:${webhook}/`, '--webhook-secret-file', secretFile,
	'--region', 'home', '--idle-after', '5s', '--shards', '1', '--own-load', '--bandwidth', String(MBIT), '--metrics', 'none',
], {
	SECRET_FILE: secretFile, PORT: String(webhook), MAX: String(MOST), PAUSE: '20', FIRST: `--listen ${IP}:${port} --bus --bus-address ${IP}:${bus}`,
});
try {
	await scene(scaler, `${IP}:${port}`);
} catch (error) {
	console.log(scaler.lines.join('\n'));
	throw error;
} finally {
	await scaler.stop();
}
requireOnce(scaler.lines);
console.log(`\nWhat the autoscaler did and was told:\n\n${scaler.lines.join('\n')}\n\n1 passed, 0 failed`);
process.exit(0);
