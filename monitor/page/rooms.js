// The list of rooms: searched and sorted by the server, a page at a time.
import { h } from './dom.js';
import { bitrate, count, milliseconds } from './format.js';
import { application, badge, lossCell, nodeLink, roomLink, table } from './parts.js';

const ROWS = 50;
const SHOWN = 4; // names of nodes in a cell

// Columns: title, what the server calls it, the cell.
const columns = [
	['Room', 'router', room => h('th', { scope: 'row', class: 'id' }, roomLink(room, room.router))],
	['Application', 'application', application],
	['Nodes', 'nodes', ({ nodes }) => [nodes.slice(0, SHOWN).map((name, i) => [i > 0 && ', ', nodeLink(name)]), nodes.length > SHOWN && ` and ${nodes.length - SHOWN} more`]],
	['Transports', 'transports', ({ transports }) => count(transports), 'number'],
	['Producers', 'producers', ({ producers }) => count(producers), 'number'],
	['Consumers', 'consumers', ({ consumers }) => count(consumers), 'number'],
	['Received', 'recvBitrate', ({ recvBitrate }) => bitrate(recvBitrate), 'number'],
	['Sent', 'sendBitrate', ({ sendBitrate }) => bitrate(sendBitrate), 'number'],
	['Worst loss', 'loss', ({ lossIn, lossOut }) => lossCell(Math.max(lossIn, lossOut)), 'number'],
	['Longest RTT', 'rtt', ({ rtt }) => milliseconds(rtt), 'number'],
	['Trouble', 'troubled', ({ troubled, none }) => (troubled + none > 0 ? [
		troubled > 0 && badge(`${troubled} without a peer`, 'warn'), none > 0 && badge(`${none} without a layer`, 'warn'),
	] : '')],
];

export function rooms(data, { query, search }) {
	const { rows, matches, total, offset } = data;
	const sorted = query.get('sort') ?? 'sendBitrate';
	const up = query.get('order') === 'up';
	const heads = columns.map(([title, name, , style]) => h('th', {
		scope: 'col', class: style, 'aria-sort': name === sorted ? (up ? 'ascending' : 'descending') : 'none',
	}, h('button', {
		type: 'button', onclick: () => search({ sort: name, order: name === sorted && !up ? 'up' : '', offset: '' }),
	}, title, h('span', { 'aria-hidden': 'true' }, name === sorted ? (up ? ' ↑' : ' ↓') : ''))));
	return [
		h('h1', {}, 'Rooms'),
		h('form', { role: 'search', class: 'search', onsubmit: event => event.preventDefault() },
			h('label', { for: 'text' }, 'Search in rooms, applications, tenants and nodes'),
			h('input', {
				id: 'text', type: 'search', value: query.get('text') ?? '', maxlength: 60, autocomplete: 'off', spellcheck: 'false',
				oninput: event => search({ text: event.target.value.trim(), offset: '' }, true),
			}),
			h('p', { role: 'status', class: 'quiet' }, matches === total ? `${count(total)} rooms with transports` : `${count(matches)} of ${count(total)} rooms with transports`)),
		table('Rooms', columns.map(([title, , cell, style]) => [title, cell, style]), rows, { key: room => `${room.application} ${room.tenant} ${room.router}`, heads, empty: query.get('text') ? 'No room, application, tenant or node has that in its name.' : 'No room has transports now.' }),
		matches > ROWS && h('nav', { class: 'pages', 'aria-label': 'Pages' },
			h('button', { type: 'button', disabled: offset === 0, onclick: () => search({ offset: String(Math.max(offset - ROWS, 0)) }) }, 'Back'),
			h('span', {}, `${count(offset + 1)} to ${count(Math.min(offset + ROWS, matches))} of ${count(matches)}`),
			h('button', { type: 'button', disabled: offset + ROWS >= matches, onclick: () => search({ offset: String(offset + ROWS) }) }, 'Next')),
	];
}
