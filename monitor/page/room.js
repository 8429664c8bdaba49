// One room: who sends what, who receives it, on which node.
import { chart } from './chart.js';
import { h } from './dom.js';
import { bitrate, brief, count, loss, milliseconds, percent } from './format.js';
import { application, badge, chartWidth, lossCell, nodeLink, stateLevel, sum, table, tile, tiles, transportLink } from './parts.js';

const MOST = 300; // rows of a table that a browser draws without effort

const sumOf = (streams, name) => sum(streams, stream => stream[name]);
const worst = (list, of) => list.reduce((most, item) => Math.max(most, of(item) ?? 0), 0);
const lossSent = ({ stats, consumers = [] }) => stats.rtpPacketLossSent ?? worst(consumers, ({ streams }) => worst(streams, ({ fractionLost }) => fractionLost / 256));
const lossReceived = ({ stats, producers = [] }) => Math.max(stats.rtpPacketLossReceived ?? 0, worst(producers, ({ streams }) => worst(streams, ({ fractionLost }) => fractionLost / 256)));
const rtt = ({ consumers = [] }) => worst(consumers, ({ streams }) => worst(streams, ({ roundTripTime }) => roundTripTime));

// stateOf is what a transport is in, in a word.
export function stateOf({ broken, ice, dtls, remote, kind }) {
	if (broken) {
		return 'failed';
	}
	if (ice === 'disconnected' || ice === 'new' || !dtls) {
		return ice ?? (kind === 'direct' || remote ? 'connected' : 'new');
	}
	return dtls;
}

export const kindOf = ({ kind, mimeType }) => `${kind} ${(mimeType.split('/')[1] ?? mimeType)}`;

export function room(data, { width, redraw }) {
	const { transports, relays, history } = data;
	const bad = transports.filter(({ findings: list }) => list.some(({ level }) => level === 'bad')).length;
	return [
		h('p', { class: 'path' }, h('a', { href: '#/rooms' }, 'Rooms'), ' / ', application(data)),
		h('h1', { class: 'id' }, data.router),
		data.errors?.map(error => h('p', { class: 'notice bad', 'data-key': error }, error)),
		data.more && h('p', { class: 'notice warn' }, 'The room has more transports than are shown here.'),
		tiles(
			tile('Nodes', data.nodes.map((name, i) => [i > 0 && ', ', nodeLink(name)])),
			tile('Transports', count(transports.length), { more: `${count(relays.length)} ends of relays` }),
			tile('Producers', count(sum(transports, ({ producers }) => producers?.length))),
			tile('Consumers', count(sum(transports, ({ consumers }) => consumers?.length))),
			tile('Received', bitrate(sum(transports, ({ stats }) => stats.recvBitrate))),
			tile('Sent', bitrate(sum(transports, ({ stats }) => stats.sendBitrate))),
			tile('Worst loss', loss(worst(transports, t => Math.max(lossSent(t), lossReceived(t))))),
			tile('In trouble', count(bad), { level: bad > 0 ? 'bad' : undefined, more: 'transports' }),
		),
		h('div', { class: 'charts' }, charts(data.router, history, width, redraw)),
		h('section', { 'aria-labelledby': 'senders' }, h('h2', { id: 'senders' }, 'Who sends'), senders(data)),
		h('section', { 'aria-labelledby': 'transports' }, h('h2', { id: 'transports' }, 'Transports'), transportTable(data)),
		h('section', { 'aria-labelledby': 'receivers' }, h('h2', { id: 'receivers' }, 'Who receives'), receivers(data)),
		relays.length > 0 && h('section', { 'aria-labelledby': 'relays' }, h('h2', { id: 'relays' }, 'Relays between nodes'), relayTable(data)),
	];
}

function charts(id, history, width, redraw) {
	const at = history.map(sample => sample.at);
	const of = name => history.map(sample => sample[name]);
	const shape = { at, width: chartWidth(width), redraw };
	return [
		h('div', { class: 'card' }, chart({
			...shape, id: `${id} traffic`, title: 'Traffic', format: bitrate, lines: [{ name: 'Sent', values: of('sendBitrate') }, { name: 'Received', values: of('recvBitrate') }],
		})),
		h('div', { class: 'card' }, chart({
			...shape, id: `${id} loss`, title: 'Loss, of the worst transport', format: percent, top: 0.1, lines: [{ name: 'To a peer', values: of('lossOut') }, { name: 'From a peer', values: of('lossIn') }],
		})),
		h('div', { class: 'card' }, chart({
			...shape, id: `${id} estimate`, title: 'Lowest estimate of what a peer can take', format: bitrate,
			lines: [{ name: 'Estimate', values: history.map(({ estimateOut }) => estimateOut || null) }],
		})),
		h('div', { class: 'card' }, chart({
			...shape, id: `${id} rtt`, title: 'Longest round trip', format: ms => `${Math.round(ms)} ms`, top: 50, lines: [{ name: 'Round trip', values: of('rtt') }],
		})),
	];
}

// senders lists producers, with how many consume each, and on how many nodes.
function senders(data) {
	const consumers = new Map();
	for (const { node, consumers: list = [] } of data.transports) {
		for (const { producerId } of list) {
			const entry = consumers.get(producerId) ?? { count: 0, nodes: new Set() };
			entry.count++;
			entry.nodes.add(node);
			consumers.set(producerId, entry);
		}
	}
	const rows = data.transports.flatMap(transport => (transport.producers ?? []).map(producer => ({ transport, producer })));
	return [table('Producers', [
		['Producer', ({ producer }) => h('th', { scope: 'row', title: producer.id }, brief(producer.id))],
		['What', ({ producer }) => `${kindOf(producer)}${producer.type === 'simple' ? '' : `, ${producer.type}`}`],
		['Transport', ({ transport }) => transportLink(transport.node, data, transport.transport)],
		['Node', ({ transport }) => nodeLink(transport.node)],
		['State', ({ producer }) => producerState(producer)],
		['Bitrate', ({ producer }) => bitrate(sumOf(producer.streams, 'bitrate')), 'number'],
		['Streams', ({ producer }) => producer.streams.map(({ rid, ssrc, bitrate: rate, score }) => h('span', { class: 'stream', 'data-key': ssrc }, `${rid ?? ''} ${bitrate(rate)} (${score})`))],
		['Loss', ({ producer }) => lossCell(worst(producer.streams, ({ fractionLost }) => fractionLost / 256)), 'number'],
		['Key frames asked', ({ producer }) => count(sumOf(producer.streams, 'pliCount') + sumOf(producer.streams, 'firCount')), 'number'],
		['Consumers', ({ producer }) => {
			const entry = consumers.get(producer.id);
			return entry ? `${count(entry.count)} on ${entry.nodes.size === 1 ? 'one node' : `${entry.nodes.size} nodes`}` : 'nobody';
		}, 'number'],
	], rows.slice(0, MOST), { key: ({ producer }) => producer.id, empty: 'Nobody sends.' }), left(rows)];
}

export function producerState({ paused, streams }) {
	const score = worst(streams, stream => stream.score);
	if (paused) {
		return badge('paused', 'note');
	}
	return score === 0 ? badge('silent', 'bad') : badge(`score ${score}`, score < 7 ? 'warn' : 'good');
}

const left = rows => rows.length > MOST && h('p', { class: 'quiet' }, `${count(rows.length - MOST)} more are not shown.`);

function transportTable(data) {
	const rows = data.transports;
	return [table('Transports', [
		['Transport', t => h('th', { scope: 'row' }, transportLink(t.node, data, t.transport))],
		['Node', ({ node }) => nodeLink(node)],
		['Kind', ({ kind, tcp }) => `${kind}${tcp ? ' over TCP' : ''}`],
		['State', t => badge(stateOf(t), stateLevel(stateOf(t)))],
		['Peer', ({ remote }) => remote ?? '–'],
		['Received', ({ stats }) => bitrate(stats.recvBitrate), 'number'],
		['Sent', ({ stats }) => bitrate(stats.sendBitrate), 'number'],
		['Estimate', ({ stats }) => bitrate(stats.availableOutgoingBitrate), 'number'],
		['Loss from', t => lossCell(lossReceived(t)), 'number'],
		['Loss to', t => lossCell(lossSent(t)), 'number'],
		['RTT', t => milliseconds(rtt(t)), 'number'],
		['Found', t => trouble(t.findings)],
	], rows.slice(0, MOST), { key: ({ node, transport }) => `${node} ${transport}` }), left(rows)];
}

// trouble is the worst finding, and how many more there are.
function trouble(list) {
	const serious = list.filter(({ level }) => level !== 'note').sort((a, b) => (a.level === b.level ? 0 : a.level === 'bad' ? -1 : 1));
	if (serious.length === 0) {
		return '–';
	}
	const text = serious[0].text;
	return h('span', { class: 'found', title: text }, badge(serious[0].level === 'bad' ? 'wrong' : 'poor', serious[0].level), ' ',
		text.length > 60 ? `${text.slice(0, 59)}…` : text, serious.length > 1 && ` (and ${serious.length - 1} more)`);
}

// receivers lists consumers by what they consume.
function receivers(data) {
	const producers = new Map(data.transports.flatMap(transport => (transport.producers ?? []).map(producer => [producer.id, { transport, producer }])));
	const rows = data.transports.flatMap(transport => (transport.consumers ?? []).map(consumer => ({ transport, consumer, from: producers.get(consumer.producerId) })));
	rows.sort((a, b) => a.consumer.producerId.localeCompare(b.consumer.producerId));
	return [table('Consumers', [
		['Consumer', ({ consumer }) => h('th', { scope: 'row', title: consumer.id }, brief(consumer.id))],
		['What', ({ consumer }) => kindOf(consumer)],
		['Of', ({ consumer, from }) => (from ? transportLink(from.transport.node, data, from.transport.transport, brief(consumer.producerId)) : brief(consumer.producerId))],
		['From node', ({ from }) => (from ? nodeLink(from.transport.node) : '–')],
		['To transport', ({ transport }) => transportLink(transport.node, data, transport.transport)],
		['On node', ({ transport }) => nodeLink(transport.node)],
		['State', ({ consumer }) => consumerState(consumer)],
		['Layers', ({ consumer }) => layers(consumer)],
		['Bitrate', ({ consumer }) => bitrate(sumOf(consumer.streams, 'bitrate')), 'number'],
		['Loss', ({ consumer }) => lossCell(worst(consumer.streams, ({ fractionLost }) => fractionLost / 256)), 'number'],
		['RTT', ({ consumer }) => milliseconds(worst(consumer.streams, ({ roundTripTime }) => roundTripTime)), 'number'],
	], rows.slice(0, MOST), { key: ({ consumer }) => consumer.id, empty: 'Nobody receives.' }), left(rows)];
}

export function consumerState({ paused, producerPaused, active, producerScore, keyFrameWait, score, type, hasLayers, current }) {
	if (paused || producerPaused) {
		return badge(paused ? 'paused' : 'producer paused', 'note');
	}
	if (!active) {
		return badge('not connected', 'bad');
	}
	if (type !== 'pipe' && producerScore === 0) {
		return badge('nothing comes', 'bad');
	}
	if (keyFrameWait >= 1) {
		return badge('waits for a key frame', 'bad');
	}
	if (hasLayers && !current) {
		return badge('no layer', 'bad');
	}
	return badge(`score ${score}`, score < 7 ? 'warn' : 'good');
}

// layers says which are forwarded, and which are wanted if those are others.
export function layers({ hasLayers, current, target, preferred }) {
	if (!hasLayers) {
		return '–';
	}
	const wanted = [target !== current && `aims at ${target ?? 'none'}`, preferred !== target && `wants ${preferred ?? 'none'}`].filter(Boolean);
	return [h('b', {}, current ?? 'none'), wanted.length > 0 && h('small', {}, ` ${wanted.join(', ')}`)];
}

function relayTable(data) {
	return table('Ends of relays', [
		['Transport', t => h('th', { scope: 'row' }, transportLink(t.node, data, t.transport))],
		['On node', ({ node }) => nodeLink(node)],
		['From here', ({ local }) => local ?? '–'],
		['To', ({ remote }) => remote ?? '–'],
		['Received', ({ stats }) => bitrate(stats.recvBitrate), 'number'],
		['Sent', ({ stats }) => bitrate(stats.sendBitrate), 'number'],
		['Producers', ({ producers }) => count(producers?.length ?? 0), 'number'],
		['Consumers', ({ consumers }) => count(consumers?.length ?? 0), 'number'],
	], data.relays.slice(0, MOST), { key: ({ node, transport }) => `${node} ${transport}` });
}

