// The whole story of a transport: why does this picture stand still?
import { bands, chart } from './chart.js';
import { h } from './dom.js';
import { bitrate, brief, bytes, count, loss, milliseconds, percent } from './format.js';
import { application, badge, chartWidth, findings, lossCell, nodeLink, roomLink, stateLevel, table, tile, tiles, transportLink } from './parts.js';
import { consumerState, kindOf, layers, producerState, stateOf } from './room.js';

const TOP = 3; // the highest spatial layer that is counted apart

export function transport(data, { width, redraw }) {
	const { stats, history = [], producers = [], consumers = [] } = data;
	const names = new Map([
		...producers.map(producer => [producer.id, `Producer ${brief(producer.id)} (${kindOf(producer)})`]),
		...consumers.map(consumer => [consumer.id, `Consumer ${brief(consumer.id)} (${kindOf(consumer)})`]),
	]);
	const state = stateOf(data);
	return [
		h('p', { class: 'path' }, h('a', { href: '#/rooms' }, 'Rooms'), ' / ', application(data), ' / ', roomLink(data)),
		h('h1', { class: 'id' }, data.transport),
		h('p', {}, badge(state, stateLevel(state)), ` ${data.kind} transport on `, nodeLink(data.node), `, shard ${data.shard}. `,
			data.local && `${data.local} `, data.remote ? `to ${data.remote}${data.tcp ? ' over TCP' : ''}` : data.kind === 'direct' ? 'to the application' : 'without a peer'),
		h('section', { 'aria-labelledby': 'found' }, h('h2', { id: 'found' }, 'What was found'),
			data.findings.length > 0 ? findings(data.findings, id => names.get(id)) : h('p', { class: 'good' }, 'Nothing wrong.')),
		tiles(
			data.ice && tile('ICE', data.ice, { level: stateLevel(data.ice) }), data.dtls && tile('DTLS', data.dtls, { level: stateLevel(data.dtls) }),
			data.sctp && tile('SCTP', data.sctp, { level: data.sctp === 'new' ? undefined : stateLevel(data.sctp) }),
			tile('Received', bitrate(stats.recvBitrate), { more: bytes(stats.bytesReceived) }), tile('Sent', bitrate(stats.sendBitrate), { more: bytes(stats.bytesSent) }),
			stats.availableOutgoingBitrate !== undefined && tile('Estimate to the peer', bitrate(stats.availableOutgoingBitrate)),
			stats.rtpPacketLossSent !== undefined && tile('Loss to the peer', loss(stats.rtpPacketLossSent)),
			stats.rtpPacketLossReceived !== undefined && tile('Loss from the peer', loss(stats.rtpPacketLossReceived)),
		),
		h('h2', {}, 'The last ten minutes'),
		history.length === 0 ? h('p', { class: 'quiet' }, 'Samples are taken every ten seconds; the first one is still to come.') : h('div', { class: 'charts' }, charts(data.transport, history, width, redraw)),
		consumers.length > 0 && h('section', { 'aria-labelledby': 'consumers' }, h('h2', { id: 'consumers' }, 'What the peer receives'), consumerTable(data)),
		producers.length > 0 && h('section', { 'aria-labelledby': 'producers' }, h('h2', { id: 'producers' }, 'What the peer sends'), producerTable(producers)),
		data.omitted > 0 && h('p', { class: 'quiet' }, `${count(data.omitted)} more producers and consumers are not shown.`),
		h('section', { 'aria-labelledby': 'statistics' }, h('h2', { id: 'statistics' }, 'Statistics'), h('p', { class: 'quiet' }, 'By the names that transport.getStats() has; bitrates in bits per second.'), statistics(data)),
	];
}

function charts(id, history, width, redraw) {
	const at = history.map(sample => sample.at);
	const of = name => history.map(sample => sample[name]);
	const known = name => history.map(sample => sample[name] || null);
	const shape = { at, width: chartWidth(width), redraw };
	const card = part => h('div', { class: 'card' }, part);
	const spatial = [...Array(TOP + 1).keys()].filter(layer => history.some(sample => sample.layers.spatial[layer] > 0));
	return [
		history.some(({ ice }) => ice) && card(bands({
			...shape, id: `${id} states`, title: 'Connection',
			rows: [{ name: 'ICE', states: history.map(({ ice }) => ice ?? 'new'), level: stateLevel }, { name: 'DTLS', states: history.map(({ dtls }) => dtls ?? 'new'), level: stateLevel }],
		})),
		card(chart({
			...shape, id: `${id} sent`, title: 'To the peer', format: bitrate,
			lines: [{ name: 'Sent', values: of('sendBitrate') }, { name: 'Estimate', values: known('estimateOut'), dashed: true }],
		})),
		card(chart({
			...shape, id: `${id} received`, title: 'From the peer', format: bitrate,
			lines: [{ name: 'Received', values: of('recvBitrate') }, { name: 'Estimate', values: known('estimateIn'), dashed: true }],
		})),
		card(chart({
			...shape, id: `${id} loss`, title: 'Loss', format: percent, top: 0.1, lines: [{ name: 'To the peer', values: of('lossOut') }, { name: 'From the peer', values: of('lossIn') }],
		})),
		card(chart({
			...shape, id: `${id} layers`, title: 'Consumers by the layer that they forward', format: n => count(Math.round(n)), top: 2,
			lines: [
				...spatial.map(layer => ({ name: `Layer ${layer}${layer === TOP ? ' and above' : ''}`, values: history.map(sample => sample.layers.spatial[layer]) })),
				{ name: 'No layer', values: history.map(sample => sample.layers.none) }, { name: 'Paused', values: history.map(sample => sample.layers.stopped), dashed: true },
			],
		})),
		card(chart({
			...shape, id: `${id} repair`, title: 'Repair, in ten seconds', format: n => count(Math.round(n)), top: 10,
			lines: [
				{ name: 'Packets the peer missed', values: of('nacked') }, { name: 'Sent again', values: of('retransmitted'), dashed: true },
				{ name: 'Packets missed here', values: of('missed') },
			],
		})),
		card(chart({
			...shape, id: `${id} frames`, title: 'Key frames and drops, in ten seconds', format: n => count(Math.round(n)), top: 4,
			lines: [
				{ name: 'Key frames asked for by the peer', values: of('keyFramesAsked') }, { name: 'Asked of the peer', values: of('keyFramesWant') },
				{ name: 'Lower layers', values: of('layersDropped') }, { name: 'Packets dropped', values: of('dropped'), dashed: true },
			],
		})),
		card(chart({ ...shape, id: `${id} rtt`, title: 'Round trip', format: ms => `${Math.round(ms)} ms`, top: 50, lines: [{ name: 'Round trip', values: of('rtt') }] })),
	];
}

function consumerTable(data) {
	const rows = data.consumers.flatMap(consumer => consumer.streams.slice(0, 1).map(stream => ({ consumer, stream, from: data.origins[consumer.producerId] })));
	return table('Consumers', [
		['Consumer', ({ consumer }) => h('th', { scope: 'row', title: consumer.id }, brief(consumer.id))],
		['What', ({ consumer }) => kindOf(consumer)],
		['From', ({ consumer, from }) => (from ? [transportLink(from.node, data, from.transport, brief(consumer.producerId)), ' on ', nodeLink(from.node)] : brief(consumer.producerId))],
		['State', ({ consumer }) => consumerState(consumer)],
		['Layers', ({ consumer }) => layers(consumer)],
		['Bitrate', ({ stream }) => bitrate(stream.bitrate), 'number'],
		['Packets', ({ stream }) => count(stream.packetCount), 'number'],
		['Bytes', ({ consumer, stream }) => h('td', { class: 'number', 'data-bytes': consumer.id }, count(stream.byteCount)), 'number'],
		['Loss', ({ stream }) => lossCell(stream.fractionLost / 256), 'number'],
		['Lost', ({ stream }) => count(stream.packetsLost), 'number'],
		['Asked again', ({ stream }) => count(stream.nackPacketCount), 'number'],
		['Sent again', ({ stream }) => count(stream.packetsRetransmitted), 'number'],
		['PLI, FIR', ({ stream }) => `${count(stream.pliCount)}, ${count(stream.firCount)}`, 'number'],
		['RTT', ({ stream }) => milliseconds(stream.roundTripTime), 'number'],
		['Scores', ({ consumer }) => `${consumer.score}, producer ${consumer.producerScore}`, 'number'],
		['Not forwarded', ({ consumer }) => reasons(consumer.drops)],
	], rows, { key: ({ consumer }) => consumer.id });
}

function producerTable(producers) {
	const rows = producers.flatMap(producer => (producer.streams.length > 0 ? producer.streams : [{}]).map(stream => ({ producer, stream })));
	return table('Streams of producers', [
		['Producer', ({ producer }) => h('th', { scope: 'row', title: producer.id }, brief(producer.id))],
		['What', ({ producer }) => `${kindOf(producer)}, ${producer.type}`],
		['State', ({ producer }) => producerState(producer)],
		['Stream', ({ stream }) => stream.rid ?? stream.ssrc ?? '–'],
		['Score', ({ stream }) => stream.score ?? '–', 'number'],
		['Bitrate', ({ stream }) => bitrate(stream.bitrate), 'number'],
		['By layer', ({ stream }) => Object.entries(stream.bitrateByLayer ?? {}).sort().map(([layer, rate]) => h('span', { class: 'stream', 'data-key': layer }, `${layer}: ${bitrate(rate)}`))],
		['Packets', ({ stream }) => count(stream.packetCount), 'number'],
		['Bytes', ({ producer, stream }) => h('td', { class: 'number', 'data-bytes': `${producer.id} ${stream.ssrc}` }, count(stream.byteCount)), 'number'],
		['Loss', ({ stream }) => lossCell((stream.fractionLost ?? 0) / 256), 'number'],
		['Lost', ({ stream }) => count(stream.packetsLost), 'number'],
		['Repaired', ({ stream }) => count(stream.packetsRepaired), 'number'],
		['Asked again', ({ stream }) => count(stream.nackPacketCount), 'number'],
		['PLI, FIR', ({ stream }) => `${count(stream.pliCount)}, ${count(stream.firCount)}`, 'number'],
		['Not forwarded', ({ producer }) => reasons(producer.drops)],
	], rows, { key: ({ producer, stream }) => `${producer.id} ${stream.ssrc}` });
}

// reasons lists counters that are not zero.
const reasons = drops => Object.entries(drops ?? {}).sort().map(([name, n]) => h('span', { class: 'stream', 'data-key': name }, `${name}: ${count(n)}`));

function statistics({ stats, drops, layerDrops }) {
	const value = (name, n) => (name.includes('Loss') ? percent(n, 1) : count(n));
	const list = (title, entries) => entries.length > 0 && h('div', { class: 'card' }, h('h3', {}, title), h('dl', { class: 'statistics' },
		entries.map(([name, n]) => h('div', { 'data-key': name }, h('dt', {}, name), h('dd', { 'data-stat': name }, value(name, n))))));
	return h('div', { class: 'charts' }, list('Transport', Object.entries(stats)),
		list('Packets dropped, by reason', Object.entries(drops ?? {})), list('Layers dropped, by reason', Object.entries(layerDrops ?? {})));
}
