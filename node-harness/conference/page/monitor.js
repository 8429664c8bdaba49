// Samples the browser's statistics once a second, and asks the server for those of the person whose panel is open.
import { History, most, path, received, sent, sum } from './figures.js';

const SAMPLE_MS = 1000;

export class Monitor {
	streams = new Map(); // what comes in, by stream id: figures
	sent = []; // what goes out: { source, …figures }
	histories = new Map(); // by peer id
	server = undefined; // figures of the person who is watched
	watched = undefined; // a peer id
	#rows = { send: new Map(), recv: new Map() }; // of the sample before, by id

	// onSample is called after each sample.
	constructor(call, { onSample }) {
		Object.assign(this, { call, onSample });
		this.timer = setInterval(() => this.#sample().catch(() => {}), SAMPLE_MS); // a call that ends while it is asked
	}

	stop() {
		clearInterval(this.timer);
	}

	// watch: whose figures the server is asked for; undefined for nobody's.
	watch(peerId) {
		this.watched = peerId;
		this.server = undefined;
	}

	async #sample() {
		const { watched } = this;
		const [send, recv, server] = await Promise.all([
			this.call.send.getStats(), this.call.recv.getStats(),
			watched && this.call.request('figures', { peerId: watched }),
		]);
		if (watched === this.watched) {
			this.server = server;
		}
		const [up, down] = [[...send.values()], [...recv.values()]];
		this.#measureReceived(down);
		this.#measureSent(up);
		this.#remember(path(up), path(down));
		this.#rows = { send: new Map(up.map(row => [row.id, row])), recv: new Map(down.map(row => [row.id, row])) };
		this.onSample();
	}

	#measureReceived(rows) {
		const bySsrc = new Map(rows.filter(({ type }) => type === 'inbound-rtp').map(row => [row.ssrc, row]));
		this.streams.clear();
		for (const { id, consumer } of this.call.streams.values()) {
			const row = bySsrc.get(consumer?.rtpParameters.encodings[0].ssrc);
			const before = row && this.#rows.recv.get(row.id);
			if (before) {
				this.streams.set(id, received(row, before));
			}
		}
	}

	#measureSent(rows) {
		const reports = new Map(rows.filter(({ type }) => type === 'remote-inbound-rtp').map(row => [row.localId, row]));
		const sourceOf = new Map([...this.call.producers].map(([source, { track }]) => [track?.id, source]));
		const media = new Map(rows.filter(({ type }) => type === 'media-source').map(row => [row.id, row]));
		this.sent = rows.filter(row => row.type === 'outbound-rtp' && this.#rows.send.has(row.id)).map(row => ({
			source: sourceOf.get(media.get(row.mediaSourceId)?.trackIdentifier),
			...sent(row, this.#rows.send.get(row.id), reports.get(row.id)),
		})).filter(({ source }) => source).sort((a, b) => order(a).localeCompare(order(b)));
	}

	#remember(up, down) {
		const picture = rows => rows.find(({ width }) => width);
		const { self, peers, streams } = this.call;
		this.#history(self.id).add({
			bitrate: sum(this.sent, 'bitrate'), estimate: up.estimate, loss: most(this.sent, 'loss'), roundTrip: up.roundTrip,
			frames: most(this.sent, 'frames'),
		});
		for (const id of peers.keys()) {
			const rows = [...streams.values()].filter(({ peerId }) => peerId === id).map(stream => this.streams.get(stream.id)).filter(Boolean);
			this.#history(id).add({
				bitrate: sum(rows, 'bitrate'), estimate: this.server?.down.outgoing, loss: most(rows, 'loss'), roundTrip: down.roundTrip,
				frames: picture(rows)?.frames,
			});
		}
		[...this.histories.keys()].filter(id => id !== self.id && !peers.has(id)).forEach(id => this.histories.delete(id));
	}

	#history(id) {
		if (!this.histories.has(id)) {
			this.histories.set(id, new History());
		}
		return this.histories.get(id);
	}
}

const order = ({ source, rid = '' }) => `${source} ${rid}`;
