// One node or worker: its shards, and the applications on it.
import { chart } from './chart.js';
import { h } from './dom.js';
import { bitrate, count, percent, since } from './format.js';
import { application, badge, bar, chartWidth, loadLevel, stateLevel, table, tile, tiles } from './parts.js';

const delay = seconds => (seconds > 0 ? `up to ${seconds < 0.001 ? `${Math.round(seconds * 1e6)} µs` : `${seconds * 1000} ms`}` : 'none');

export function node(data, { width, redraw }) {
	const { trend, rows, owners, fronts } = data;
	const told = data.error ? { sums: {} } : data; // who does not answer has no rooms that we know of
	return [
		h('p', { class: 'path' }, h('a', { href: '#/' }, 'Overview')),
		h('h1', {}, data.name), h('p', {}, badge(data.state, stateLevel(data.state)), ' ', data.address, data.region && ` in ${[data.region, data.zone].filter(Boolean).join(' / ')}`),
		data.error && h('p', { class: 'notice bad' }, `It does not answer: ${data.error}`),
		tiles(
			tile('Load', percent(told.cpu), { level: loadLevel(told.cpu), more: 'of its cores, whoever uses them' }),
			tile('Rooms', count(told.rooms)),
			tile('Transports', count(told.sums.transports), { more: `${count(told.sums.relays)} relays` }),
			tile('Received', bitrate(told.sums.recvBitrate)),
			tile('Sent', bitrate(told.sums.sendBitrate)),
			tile('Version', data.version ?? '–', { more: data.release ? `mediasoup ${data.release}` : undefined }),
			tile('Process', data.pid ?? '–', { more: data.since ? `for ${since(Date.now() / 1000 - data.since)}` : undefined }),
		),
		h('p', {}, h('a', { href: `#/rooms?${new URLSearchParams({ text: data.name })}` }, `Rooms on ${data.name}`)),
		trend && h('div', { class: 'charts' },
			h('div', { class: 'card' }, chart({
				id: `load ${data.name}`, title: 'Load', at: trend.at, format: percent, width: chartWidth(width), top: 1, redraw, lines: [{ name: 'CPU', values: trend.cpu }],
			})),
			h('div', { class: 'card' }, chart({
				id: `traffic ${data.name}`, title: 'Traffic', at: trend.at, format: bitrate, width: chartWidth(width), redraw,
				lines: [{ name: 'Sent', values: trend.sendBitrate }, { name: 'Received', values: trend.recvBitrate }],
			}))),
		h('section', { 'aria-labelledby': 'shards' }, h('h2', { id: 'shards' }, 'Shards'), table('Shards', [
			['Shard', ({ index }) => h('th', { scope: 'row' }, index)],
			['Busy', ({ busy }) => bar(busy, busy > 0.9 ? 'bad' : busy > 0.7 ? 'warn' : '')],
			['Transports', ({ transports }) => count(transports), 'number'],
			['Messages wait', ({ delay: seconds }) => delay(seconds), 'number'],
			['Messages refused', ({ dropped }) => count(dropped), 'number'],
		], rows.map((row, index) => ({ ...row, index })), { key: ({ index }) => index, empty: 'Not known.' })),
		h('section', { 'aria-labelledby': 'applications' }, h('h2', { id: 'applications' }, 'Applications'), table('Applications', [
			['Application', owner => h('th', { scope: 'row' }, application(owner))],
			['Rooms', ({ rooms }) => count(rooms), 'number'],
			['Transports', ({ transports }) => count(transports), 'number'],
			['Producers', ({ producers }) => count(producers), 'number'],
			['Consumers', ({ consumers }) => count(consumers), 'number'],
			['Received', ({ recvBitrate }) => bitrate(recvBitrate), 'number'],
			['Sent', ({ sendBitrate }) => bitrate(sendBitrate), 'number'],
		], owners, { key: owner => `${owner.tenant} ${owner.application}`, empty: data.error ? 'Not known.' : 'No application has transports here.' })),
		fronts?.length > 0 && h('section', { 'aria-labelledby': 'sessions' }, h('h2', { id: 'sessions' }, 'Sessions'), table('Sessions of applications’ workers', [
			['Application', owner => h('th', { scope: 'row' }, application(owner))],
			['State', ({ connected }) => badge(connected ? 'connected' : 'cut', connected ? 'good' : 'bad')],
			['mediasoup', ({ release }) => release, 'number'],
			['Routers', ({ routers }) => count(routers), 'number'],
			['Messages dropped', ({ dropped }) => count(dropped), 'number'],
		], fronts)),
	];
}
