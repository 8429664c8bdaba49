// A peer of node-sctp: SCTP over UDP, independent of the worker's. It has the methods of WeriftPeer that channels need.
import * as dgram from 'node:dgram';
import sctp from 'sctp';
import { until, within } from '../lib/wait.js';

const SCTP_PORT = 5000;
const WINDOW = 1 << 20;
const STREAMS = 65535;
const TEXT = 51;
const BINARY = 53;

export class NodeSctpPeer {
	#channels = new Map();

	static async open() {
		const peer = new NodeSctpPeer();
		peer.udp = await peer.#bind();
		return peer;
	}

	async #bind() {
		const socket = dgram.createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
		await new Promise((resolve, reject) => {
			socket.once('error', reject);
			socket.bind(0, '127.0.0.1', resolve);
		});
		return socket;
	}

	// connect says where the worker is.
	connect(port, address = '127.0.0.1') {
		this.target = { address, port };
	}

	// startSctp connects SCTP. Called again, it begins anew and forgets what there was, channels included.
	async startSctp() {
		this.#channels.clear();
		if (this.socket) {
			this.#forget();
			this.udp = await this.#bind();
		}
		this.sending = Promise.resolve();
		this.socket = sctp.connect({
			localPort: SCTP_PORT, port: SCTP_PORT, OS: STREAMS, MIS: STREAMS, readableHighWaterMark: WINDOW,
			udpTransport: this.udp, udpPeer: this.target,
		});
		this.socket.on('error', () => {});
		this.socket.resume(); // the messages are taken from the association, where they are not joined
		await within('SCTP connects', new Promise(resolve => this.socket.once('connect', resolve)));
		const { association } = this.socket;
		const receive = association.RECEIVE.bind(association);
		association.RECEIVE = id => {
			const data = receive();
			if (data) {
				this.#channels.get(id).messages.push(data.ppid === TEXT ? data.toString() : Buffer.from(data));
			}
			return data;
		};
	}

	// #forget ends an association without a word to the worker.
	#forget() {
		this.udp.removeAllListeners('message');
		this.udp.close();
	}

	channel(id, { ordered = true } = {}) {
		const channel = { messages: [], send: message => this.#send(id, message, !ordered) };
		this.#channels.set(id, channel);
		return channel;
	}

	channels(ids, parameters) {
		return ids.map(id => this.channel(id, parameters));
	}

	// #send waits until what was sent before leaves room. node-sctp says when that is, but not always.
	#send(id, message, unordered) {
		const { association } = this.socket;
		const options = { stream_id: id, ppid: typeof message === 'string' ? TEXT : BINARY, unordered };
		this.sending = this.sending.then(async () => {
			await until('node-sctp has room', () => association.flightsize < association.cwnd, { interval: 1 });
			association.SEND(Buffer.from(message), options, () => {});
		});
	}

	close() {
		this.socket.association?.ABORT();
		this.#forget();
	}
}
