// The panel of one person: figures, charts, and the choice of layers.
import { Chart } from './chart.js';
import { LayerControls } from './controls.js';
import { el, label } from './dom.js';
import { bits, milliseconds, percent } from './figures.js';
import { nodeText } from './tile.js';

const CHARTS = [
	{ title: 'Bitrate', names: ['Bitrate', 'Estimate'], keys: ['bitrate', 'estimate'], format: bits, least: 100_000 },
	{ title: 'Loss', names: ['Loss'], keys: ['loss'], format: percent, least: 0.02 },
	{ title: 'Round-trip time', names: ['Round trip'], keys: ['roundTrip'], format: milliseconds, least: 5 },
	{ title: 'Frames per second', names: ['Frames'], keys: ['frames'], format: value => (value === undefined ? '–' : `${Math.round(value)}/s`), least: 10 },
];
const SOURCES = { microphone: 'Microphone', camera: 'Camera', screen: 'Screen' };
const RIDS = { r0: 'size 0', r1: 'size 1', r2: 'size 2' };

function table(caption, columns, rows) {
	const cells = (tag, values) => el('tr', {}, ...values.map(value => el(tag, {}, value ?? '–')));
	return el('table', {}, el('caption', {}, caption), el('thead', {}, cells('th', columns)), el('tbody', {}, ...rows.map(row => cells('td', row))));
}

export class Panel {
	// onPrefer(stream), onPriority(stream): see LayerControls.
	constructor({ peer, call, isOwn, onClose, onPrefer, onPriority }) {
		Object.assign(this, { peer, call, isOwn, onPrefer, onPriority });
		const close = el('button', { className: 'small' });
		label(close, 'close', 'Close figures');
		close.addEventListener('click', onClose);
		this.close = close;
		const { name, where } = peer;
		this.charts = CHARTS.map(options => new Chart(options));
		this.controls = new Map(); // by stream id
		this.layers = el('div', { className: 'all-layers' });
		this.tables = el('div', { className: 'tables' });
		this.element = el('section', { className: 'panel' },
			el('div', { className: 'side-head' }, el('h2', {}, isOwn ? `${name} (you)` : name), el('span', { className: 'space' }), close),
			...(where.send ? [el('p', { className: 'where' }, nodeText(where))] : []),
			el('div', { className: 'scroll' }, this.layers,
				el('h3', {}, isOwn ? 'From you to the server' : 'From the server to you'), ...this.charts.map(({ element }) => element), this.tables));
	}

	// show brings everything up to date with a monitor's last sample.
	show({ histories, streams, sent, server }) {
		this.#showLayers(streams);
		const series = histories.get(this.peer.id)?.series ?? {};
		this.charts.forEach((chart, i) => chart.show(CHARTS[i].keys.map(key => series[key] ?? [])));
		this.tables.replaceChildren(...(this.isOwn ? this.#ownTables(sent, server) : this.#tables(streams, server)));
	}

	#showLayers(figures) {
		const pictures = [...this.call.streams.values()].filter(({ peerId, source, consumer }) => (
			peerId === this.peer.id && source !== 'microphone' && consumer));
		for (const stream of pictures) {
			if (!this.controls.has(stream.id)) {
				const { onPrefer, onPriority } = this;
				const controls = new LayerControls({ stream, title: SOURCES[stream.source], onPrefer, onPriority });
				this.controls.set(stream.id, controls);
				this.layers.append(controls.element);
			}
			this.controls.get(stream.id).show(figures.get(stream.id));
		}
		for (const [id, { element }] of this.controls) {
			if (!pictures.some(stream => stream.id === id)) {
				element.remove();
				this.controls.delete(id);
			}
		}
	}

	#tables(figures, server) {
		const delivered = new Map(server?.deliveries.map(delivery => [delivery.id, delivery]));
		const mine = [...this.call.streams.values()].filter(({ peerId }) => peerId === this.peer.id);
		return [
			table('What you receive', ['stream', 'bitrate', 'loss', 'score'], mine.map(({ id, source, score }) => [
				SOURCES[source], bits(figures.get(id)?.bitrate), percent(figures.get(id)?.loss), score ?? delivered.get(id)?.score])),
			this.#arrivals(`What ${this.peer.name} sends`, server),
		];
	}

	#ownTables(sent, server) {
		const size = ({ width, height, frames }) => (width ? `${width} × ${height}, ${Math.round(frames)}/s` : '');
		return [
			table('What your browser sends', ['stream', 'picture', 'bitrate', 'limit'], sent.map(row => [
				name(row), size(row), bits(row.bitrate), row.limit ?? ''])),
			this.#arrivals('What reaches the server', server),
			table('What you can receive', ['bitrate', 'estimate'], [[bits(server?.down.sent), bits(server?.down.outgoing)]]),
		];
	}

	// #arrivals is the server's side of what somebody sends.
	#arrivals(caption, server) {
		return table(caption, ['stream', 'bitrate', 'loss', 'round trip', 'score'], (server?.streams ?? []).map(row => [
			name(row), bits(row.bitrate), percent(row.loss), milliseconds(row.roundTripTime), row.score]));
	}
}

function name({ source, rid }) {
	return rid ? `${SOURCES[source]}, ${RIDS[rid] ?? rid}` : SOURCES[source];
}
