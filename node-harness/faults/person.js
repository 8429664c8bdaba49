// A person of the room: what it sends, and what arrives of the others.
import * as dgram from 'node:dgram';
import { isRtcp } from '../lib/rtp.js';
import { WeriftPeer } from '../peers/werift.js';
import { Picture, Voice } from '../lib/media.js';

// Ear follows one stream that is received. Sequence numbers tell what was lost, arrival tells the gaps.
export class Ear {
	total = 0;

	constructor() {
		this.mark();
	}

	// mark begins to count anew, with the packet that came last as the first one.
	mark() {
		Object.assign(this, { packets: 0, base: this.highest, longestGap: 0 });
	}

	// begin is mark for a stream that may go on with any sequence number, as after a restart of its node.
	begin() {
		this.highest = undefined;
		this.mark();
	}

	take(seq, now) {
		this.packets++;
		this.total++;
		if (this.highest === undefined) {
			this.base = seq - 1;
			this.highest = seq;
		} else {
			// The number nearest to the last one, of those that are seq modulo 65,536.
			this.highest = Math.max(this.highest, this.highest + ((seq - this.highest) << 16 >> 16));
			this.longestGap = Math.max(this.longestGap, now - this.last);
		}
		this.last = now;
	}

	// gap is the longest time without a packet, up to now.
	gap() {
		return Math.max(this.longestGap, performance.now() - this.last);
	}

	get lost() {
		return this.highest === undefined ? 0 : this.highest - this.base - this.packets;
	}
}

// Port is a UDP socket of a person.
export class Port {
	rtcp = [];
	ears = new Map(); // by SSRC
	handleRtcp = () => {};

	static async open(host) {
		const port = new Port();
		port.socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
		await new Promise(resolve => port.socket.bind(0, host, resolve));
		port.number = port.socket.address().port;
		port.socket.on('message', packet => {
			if (isRtcp(packet)) {
				port.handleRtcp(packet);
			} else {
				port.ears.get(packet.readUInt32BE(8))?.take(packet.readUInt16BE(2), performance.now());
			}
		});
		return port;
	}

	sendRaw(packet) {
		this.socket.send(packet, this.target.port, this.target.ip, () => {}); // a node that is gone refuses it
	}
}

export class Person {
	ips = new Set(); // addresses of the nodes that the transports are on
	hears = new Map(); // Ears by the name of the speaker
	sees = new Map(); // likewise, by the name of the person and the stream

	static async open(name, host) {
		const person = new Person();
		Object.assign(person, { name, host });
		person.sound = await Port.open(host);
		person.picture = await Port.open(host);
		return person;
	}

	// makeTransport makes one of the person's transports, which the application's worker places: for sound or for pictures, or for a
	// browser, which is connected with all that it has.
	async makeTransport(application, object) {
		const port = this[object]?.number;
		const transport = await application.call('transport', { name: this.name, object, port, ip: this.host });
		this.ips.add(transport.ip);
		if (port) {
			this[object].target = transport;
			return;
		}
		this.browser = transport;
		this.peer = await WeriftPeer.open({ address: this.host });
		transport.connect = ({ dtlsParameters }) => application.call('connect', { name: this.name, object, dtlsParameters });
		await this.peer.connect(transport);
	}

	// send begins to send what the application has made producers for, and connects SCTP, which the worker begins with then.
	async send() {
		await this.peer.startSctp(this.browser);
		this.voice = new Voice().start(this.sound);
		this.pictures = new Picture().start(this.picture);
	}

	// listen takes the streams of another person, by object.
	listen(name, streams) {
		for (const [object, ssrc] of Object.entries(streams)) {
			const ear = new Ear();
			if (object === 'voice') {
				this.sound.ears.set(ssrc, ear);
				this.hears.set(name, ear);
			} else {
				this.picture.ears.set(ssrc, ear);
				this.sees.set(`${name}'s ${object}`, ear);
			}
		}
	}

	// forget forgets the streams of somebody who has left.
	forget(name) {
		this.hears.delete(name);
		[...this.sees.keys()].filter(key => key.startsWith(`${name}'s `)).forEach(key => this.sees.delete(key));
	}

	// mark begins to count anew.
	mark() {
		this.voice.longestPause = 0;
		[...this.hears.values(), ...this.sees.values()].forEach(ear => ear.mark());
	}

	leave() {
		this.voice?.stop();
		this.pictures?.stop();
		this.peer?.close().catch(() => {}); // its node may be gone
		this.sound.socket.close();
		this.picture.socket.close();
	}
}
