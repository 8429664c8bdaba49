// A WebRTC peer of aiortc, in a Python process (aiortc_peer.py): DTLS by OpenSSL, and SCTP independent of the worker's. It has
// the methods of WeriftPeer that data channels need.
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { start } from '../lib/processes.js';
import { within } from '../lib/wait.js';

const PYTHON = process.env.AIORTC_PYTHON ?? '/usr/bin/python3'; // Debian's, which has Debian's packages

export class AiortcPeer {
	#requests = new Map();
	#channels = new Map();

	// open starts the process. The peer waits for the worker's INIT if it is a DTLS server, otherwise it sends its own.
	static async open({ role = 'client' } = {}) {
		const peer = new AiortcPeer();
		peer.role = role;
		peer.process = start(PYTHON, [path.join(import.meta.dirname, 'aiortc_peer.py')], { stdin: 'pipe' });
		createInterface({ input: peer.process.child.stdout }).on('line', line => peer.#receive(JSON.parse(line)));
		peer.process.done.then(() => peer.#fail(), () => peer.#fail());
		peer.fingerprints = await peer.#request('open', { role });
		return peer;
	}

	#request(method, parameters) {
		const number = this.#requests.size;
		const answer = new Promise((resolve, reject) => this.#requests.set(number, { resolve, reject }));
		this.process.child.stdin.write(`${JSON.stringify({ request: number, method, ...parameters })}\n`);
		return within(`aiortc answers ${method}`, answer);
	}

	#receive({ answer, result, error, channel, state, text, bytes }) {
		if (answer !== undefined) {
			const { resolve, reject } = this.#requests.get(answer);
			error ? reject(new Error(error)) : resolve(result);
			return;
		}
		const to = this.#channels.get(channel);
		if (state) {
			to.readyState = state;
		} else {
			to.messages.push(text ?? Buffer.from(bytes, 'base64'));
		}
	}

	// #fail rejects what the process has not answered when it ended.
	#fail() {
		this.#requests.forEach(({ reject }) => reject(new Error(`aiortc ended:\n${this.process.output()}`)));
	}

	// connect exchanges the parameters with a WebRtcTransport, and connects ICE and DTLS.
	async connect(transport, iceCandidates = transport.iceCandidates) {
		const { role, fingerprints } = this;
		await transport.connect({ dtlsParameters: { role, fingerprints } });
		const { ice, dtls, version } = await this.#request('connect', {
			iceParameters: transport.iceParameters, iceCandidates, fingerprints: transport.dtlsParameters.fingerprints,
		});
		if (ice !== 'completed' || dtls !== 'connected' || version !== 'DTLSv1.2') {
			throw new Error(`ICE is ${ice}, DTLS is ${dtls}, ${version}`);
		}
	}

	// startSctp connects SCTP over DTLS. Called again, it begins anew and forgets what there was, channels included.
	async startSctp() {
		this.#channels.clear();
		await this.#request('start_sctp', { waits: this.role === 'server' });
	}

	// channel opens a negotiated data channel, as mediasoup uses them.
	channel(id, parameters = {}) {
		return this.channels([id], parameters)[0];
	}

	channels(ids, parameters = {}) {
		const channels = ids.map(id => ({
			messages: [],
			readyState: 'connecting',
			send: message => this.#request('send', {
				channel: id, ...(typeof message === 'string' ? { text: message } : { bytes: message.toString('base64') }),
			}),
		}));
		channels.forEach((channel, i) => this.#channels.set(ids[i], channel));
		this.#request('channel', { parameters: ids.map(id => ({ id, ...parameters })) });
		return channels;
	}

	async close() {
		await this.#request('close');
		this.process.child.stdin.end();
		await within('the end of aiortc', this.process.done);
	}
}
