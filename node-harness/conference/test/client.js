// A page's half of the signalling, and a conference to talk to.
import { once } from 'node:events';
import { after, before } from 'node:test';
import { WebSocket } from 'ws';
import { startConference } from '../server/conference.js';
import { settings } from '../server/settings.js';
import { until, within } from '../../lib/wait.js';

// useConference serves a conference for all tests of a file. connect opens a connection that is closed after them.
export function useConference() {
	const ctx = { clients: [] };
	before(async () => {
		ctx.conference = await startConference(settings({ ...process.env, LISTEN: '127.0.0.1:0' }));
	});
	after(async () => {
		ctx.clients.forEach(({ socket }) => socket.terminate());
		await ctx.conference?.close();
	});
	ctx.connect = async options => {
		const client = new Client(new URL('/signalling', ctx.conference.url), options);
		ctx.clients.push(client);
		await within('a connection', once(client.socket, 'open'));
		return client;
	};
	// join has somebody enter a room.
	ctx.join = async (room, name, tab = `${room}-${name}`) => {
		const client = await ctx.connect();
		client.joined = await client.request('join', { room, name, tab });
		return client;
	};
	return ctx;
}

export class Client {
	events = []; // [event, data]
	#answers = new Map(); // by id
	#next = 1;

	constructor(url, options) {
		this.socket = new WebSocket(url, options);
		this.closed = new Promise(resolve => this.socket.once('close', code => resolve(code)));
		this.socket.on('message', bytes => {
			const { id, event, data, ...answer } = JSON.parse(bytes);
			if (event) {
				this.events.push([event, data]);
			} else {
				this.#answers.set(id, answer);
			}
		});
	}

	// request resolves with the result, or rejects with what the server says.
	async request(method, data) {
		const id = this.#next++;
		this.socket.send(JSON.stringify({ id, method, data }));
		const { result, error } = await until(`an answer to ${method}`, () => this.#answers.get(id));
		if (error) {
			throw new Error(error);
		}
		return result;
	}

	// receive says that this page can receive everything that the Router has.
	receive() {
		return this.request('receive', { rtpCapabilities: this.joined.routerRtpCapabilities });
	}

	// hears waits for an event, which may have come already, and returns its data.
	async hears(event, match = () => true) {
		const [, data] = await until(`the event ${event}`, () => this.events.find(([name, data]) => name === event && match(data)));
		return data;
	}

	count(event) {
		return this.events.filter(([name]) => name === event).length;
	}
}
