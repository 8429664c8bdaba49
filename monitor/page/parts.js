// Parts that several views are made of.
import { h } from './dom.js';
import { brief, loss, percent } from './format.js';

export const link = (parts, ...children) => h('a', { href: `#/${parts.map(part => encodeURIComponent(part ?? '')).join('/')}` }, ...children);
export const nodeLink = name => link(['node', name], name);
export const roomLink = (room, text = brief(room.router)) => h('a', {
	href: `#/${['room', room.application, room.tenant, room.router].map(part => encodeURIComponent(part ?? '')).join('/')}`, title: room.router,
}, text);
export const transportLink = (node, room, id, text = brief(id)) => h('a', {
	href: `#/${['transport', node, room.application, room.tenant, room.router, id].map(part => encodeURIComponent(part ?? '')).join('/')}`, title: id,
}, text);

// application names one, with its tenant if that has another name.
export const application = ({ application: name, tenant }) => (name ? `${name}${tenant && tenant !== name ? ` (${tenant})` : ''}` : 'this host');

// tile is a number with its name.
export const tile = (name, value, { level, more } = {}) =>
	h('div', { class: `tile ${level ?? ''}`, 'data-key': name }, h('dt', {}, name), h('dd', {}, value, more && h('small', {}, more)));
export const tiles = (...list) => h('dl', { class: 'tiles' }, list);

// badge is a state in a word, with a colour that says how good it is.
export const badge = (text, level) => h('span', { class: `badge ${level}` }, text);

const BAD = ['disconnected', 'failed', 'closed', 'dead', 'unreachable', 'gone'];
const WAITING = ['new', 'connecting', 'suspect', 'draining'];
export const stateLevel = state => (BAD.includes(state) ? 'bad' : WAITING.includes(state) || state === 'two of this name' ? 'warn' : 'good');

// loadLevel says how full is too full: from 95 % on a node gets nothing new.
export const loadLevel = cpu => (cpu > 0.95 ? 'bad' : cpu > 0.8 ? 'warn' : undefined);

// lossCell marks losses that hurt.
export const lossCell = share => h('td', { class: `number ${share >= 0.1 ? 'bad' : share >= 0.03 ? 'warn' : share > 0 ? '' : 'nil'}` }, loss(share));

// bar shows a share as a bar beside the number.
export const bar = (share, level = '') => h('span', { class: `bar ${level}` },
	h('span', { class: 'track', 'aria-hidden': 'true' }, h('span', { style: { width: `${Math.min(100 * share, 100).toFixed(1)}%` } })), h('b', {}, percent(share)));

const NIL = ['0', '0 %', '0 bit/s', '0 B', '–', 'none'];

// table has columns [title, cell(row), class]; cells that are no td or th become one.
export function table(caption, columns, rows, { key, empty = 'None.', heads } = {}) {
	if (rows.length === 0) {
		return h('p', { class: 'quiet' }, empty);
	}
	return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption }, h('table', {},
		h('caption', { class: 'hidden' }, caption),
		h('thead', {}, h('tr', {}, columns.map(([title, , style], i) => heads?.[i] ?? h('th', { scope: 'col', class: style }, title)))),
		h('tbody', {}, rows.map(row => h('tr', { 'data-key': key?.(row) }, columns.map(([title, cell, style]) => {
			const content = cell(row);
			return content instanceof HTMLElement && ['TD', 'TH'].includes(content.nodeName) ? content : h('td', { class: [style, NIL.includes(content) && 'nil'].filter(Boolean).join(' ') || undefined, 'data-title': title }, content);
		}))))));
}

// findings lists what was found wrong; about turns the id of a producer or consumer into words.
export function findings(list, about = () => undefined) {
	const order = ['bad', 'warn', 'note'];
	const words = { bad: 'Wrong', warn: 'Poor', note: 'Note' };
	const groups = new Map(); // what is said of several is said once
	for (const { level, text, about: id } of list) {
		const group = groups.get(`${level} ${text}`) ?? { level, text, ids: [] };
		groups.set(`${level} ${text}`, group);
		group.ids.push(...(id ? [about(id) ?? brief(id)] : []));
	}
	const sorted = [...groups.values()].sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
	return h('ul', { class: 'findings' }, sorted.map(({ level, text, ids }) =>
		h('li', { class: level, 'data-key': text }, badge(words[level], level), ' ', ids.length > 0 && h('b', {}, ids.join(', '), ': '), text)));
}

// columnsFor says how wide each of so many charts beside each other is, on a page that is so wide.
export function chartWidth(width) {
	const columns = width > 760 ? 2 : 1;
	return Math.max(Math.floor((width - (columns - 1) * 16) / columns) - 34, 240);
}

export const sum = (list, of) => list.reduce((total, item) => total + (of(item) ?? 0), 0);
