// The overview: all nodes, what goes between them, the applications.
import { chart, spark } from './chart.js';
import { h } from './dom.js';
import { bitrate, count, loss, NONE, percent, since } from './format.js';
import { graph, isDown } from './graph.js';
import { application, badge, bar, chartWidth, loadLevel, nodeLink, stateLevel, sum, table, tile, tiles } from './parts.js';

// together adds up what nodes tell of the same times.
function together(nodes, of) {
	const sums = new Map();
	for (const { trend } of nodes) {
		trend?.at.forEach((time, i) => sums.set(time, (sums.get(time) ?? 0) + trend[of][i]));
	}
	return sums;
}

export function overview(data, { width, redraw }) {
	const { nodes, pipes, owners, sums } = data;
	const alive = nodes.filter(node => !isDown(node)).length;
	const trends = nodes.some(({ trend }) => trend);
	return [
		h('h1', {}, 'Overview'),
		tiles(
			tile('Nodes', `${alive} of ${nodes.length}`, { level: alive < nodes.length ? 'bad' : undefined, more: 'answer' }),
			tile('Capacity in use', percent(data.cpu), { level: loadLevel(data.cpu), more: 'of the nodes’ cores' }),
			tile('Rooms', count(data.rooms)),
			tile('Transports', count(sums.transports), { more: `${count(sums.producers)} producers, ${count(sums.consumers)} consumers` }),
			tile('Received', bitrate(sums.recvBitrate)),
			tile('Sent', bitrate(sums.sendBitrate)),
			tile('Without a peer', count(sums.troubled), { level: sums.troubled > 0 ? 'warn' : undefined, more: 'transports' }),
			tile('Without a layer', count(sums.none), { level: sums.none > 0 ? 'warn' : undefined, more: 'consumers of video' }),
		),
		h('section', { 'aria-labelledby': 'graph' }, h('h2', { id: 'graph' }, 'Nodes and pipes'),
			h('div', { class: 'card' }, nodes.length > 0 ? graph({ nodes, pipes, width: Math.max(width - 34, 280) }) : h('p', { class: 'quiet' }, 'No node or worker has been found yet.')),
			data.lostRelays > 0 && h('p', { class: 'quiet' }, `${count(data.lostRelays)} relays lead to nodes that do not answer.`)),
		trends && h('div', { class: 'charts' }, charts(nodes, width, redraw)),
		h('section', { 'aria-labelledby': 'nodes' }, h('h2', { id: 'nodes' }, 'Nodes'), nodeTable(nodes, data)),
		pipes.length > 0 && h('section', { 'aria-labelledby': 'pipes' }, h('h2', { id: 'pipes' }, 'Pipes'), pipeTable(pipes)),
		h('section', { 'aria-labelledby': 'applications' }, h('h2', { id: 'applications' }, 'Applications'), ownerTable(owners)),
	];
}

function charts(nodes, width, redraw) {
	const received = together(nodes, 'recvBitrate');
	const sent = together(nodes, 'sendBitrate');
	const at = [...received.keys()].sort((a, b) => a - b);
	const load = [...nodes].sort((a, b) => b.cpu - a.cpu).slice(0, 4);
	return [
		h('div', { class: 'card' }, chart({
			id: 'traffic', title: 'Traffic of all nodes', at, format: bitrate, width: chartWidth(width), redraw,
			lines: [{ name: 'Sent', values: at.map(time => sent.get(time)) }, { name: 'Received', values: at.map(time => received.get(time)) }],
		})),
		h('div', { class: 'card' }, chart({
			id: 'load', title: load.length < nodes.length ? 'Load of the four busiest nodes' : 'Load', at, format: percent, width: chartWidth(width), top: 1, redraw,
			lines: load.map(({ name, trend }) => ({ name, values: at.map(time => trend?.cpu[trend.at.indexOf(time)] ?? null) })),
		})),
	];
}

// told shows what a node has told, and nothing for one that tells nothing.
const told = cell => node => (node.error ? NONE : cell(node));

function nodeTable(nodes, { at }) {
	return table('Nodes', [
		['Node', ({ name }) => h('th', { scope: 'row' }, nodeLink(name))],
		['State', ({ state, error }) => [badge(state, stateLevel(state)), error && h('small', { class: 'error', title: error }, error)]],
		['Place', ({ region, zone, address }) => [region, zone].filter(Boolean).join(' / ') || address.replace(/^unix:.*\//, '')],
		['Load', told(({ cpu }) => bar(cpu, loadLevel(cpu)))],
		['Ten minutes', ({ trend }) => trend && spark(trend.cpu, 1)],
		['Busiest of the shards', told(({ busiest, shards }) => [percent(busiest), h('small', {}, ` of ${shards}`)]), 'number'],
		['Rooms', told(({ rooms }) => count(rooms)), 'number'],
		['Transports', told(({ sums }) => count(sums.transports)), 'number'],
		['Received', told(({ sums }) => bitrate(sums.recvBitrate)), 'number'],
		['Sent', told(({ sums }) => bitrate(sums.sendBitrate)), 'number'],
		['Up for', ({ since: begun }) => (begun ? since(at / 1000 - begun) : '–'), 'number'],
	], nodes, { key: ({ name }) => name });
}

function pipeTable(pipes) {
	return table('Pipes between nodes', [
		['Between', ({ a, b }) => h('th', { scope: 'row' }, nodeLink(a), ' and ', nodeLink(b))],
		['One way', ({ b, toB }) => [bitrate(toB), h('small', {}, ` to ${b}`)], 'number'],
		['The other way', ({ a, toA }) => [bitrate(toA), h('small', {}, ` to ${a}`)], 'number'],
		['Relays', ({ relays }) => count(relays), 'number'],
		['Rooms', ({ rooms }) => count(rooms), 'number'],
		['Links for data', ({ links, brokenLinks }) => (brokenLinks > 0 ? badge(`${brokenLinks} of ${links} broken`, 'bad') : count(links)), 'number'],
		['Waiting', ({ waitingBytes }) => `${count(waitingBytes)} B`, 'number'],
	], pipes, { key: ({ a, b }) => `${a} ${b}` });
}

function ownerTable(owners) {
	const total = sum(owners, ({ sums }) => sums.sendBitrate);
	return table('Applications', [
		['Application', owner => h('th', { scope: 'row' }, application(owner))],
		['Sessions', ({ connected, cut }) => (cut > 0 ? badge(`${cut} of ${connected + cut} cut`, 'bad') : count(connected)), 'number'],
		['Rooms', ({ rooms }) => count(rooms), 'number'],
		['Transports', ({ sums }) => count(sums.transports), 'number'],
		['Producers', ({ sums }) => count(sums.producers), 'number'],
		['Consumers', ({ sums }) => count(sums.consumers), 'number'],
		['Received', ({ sums }) => bitrate(sums.recvBitrate), 'number'],
		['Sent', ({ sums }) => bitrate(sums.sendBitrate), 'number'],
		['Share of traffic', ({ sums }) => bar(total > 0 ? sums.sendBitrate / total : 0)],
		['Worst loss', ({ sums }) => loss(Math.max(sums.lossIn, sums.lossOut)), 'number'],
		['Nodes', ({ nodes }) => count(nodes.length), 'number'],
		['mediasoup', ({ release }) => release ?? '–', 'number'],
	], owners, { key: owner => `${owner.tenant} ${owner.application}`, empty: 'No application has transports here.' });
}
