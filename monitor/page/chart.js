// Line charts of the last ten minutes. Each can be read with the eyes, with the keyboard (arrows move the cursor), and as a table.
import { h, s } from './dom.js';
import { clock } from './format.js';

const SPAN = 600; // seconds
const HEIGHT = 150;
const TOP = 10;
const BOTTOM = 22;
const LEFT = 70;
const RIGHT = 8;
const TOUCHES = 15; // pixels from a value that count as pointing at it

// cursors remember which time a chart's reader points at.
const cursors = new Map();

// scale returns a round number that is not below the largest value.
function scale(largest) {
	if (!(largest > 0)) {
		return 1;
	}
	const power = 10 ** Math.floor(Math.log10(largest));
	return [1, 2, 4, 6, 8, 10].map(step => step * power).find(step => step >= largest * 0.999);
}

// tick leaves out digits that say nothing: 2.00 Mbit/s is 2 Mbit/s on an axis.
const tick = text => text.replace(/\.0+(?= )/, '').replace(/(\.\d*[1-9])0+(?= )/, '$1');

// gaps cuts a line where samples are missing.
function* gaps(at, values) {
	let piece = [];
	for (const [i, value] of values.entries()) {
		if (value === null || value === undefined || (i > 0 && at[i] - at[i - 1] > 25)) {
			yield piece;
			piece = [];
		}
		if (value !== null && value !== undefined) {
			piece.push([at[i], value]);
		}
	}
	yield piece;
}

// chart draws lines: at has the times in seconds, and each of lines has a name, values, and perhaps dashed. format makes text of a value;
// top is the least upper end of the axis. state draws bands below the lines: names by time.
export function chart({ id, title, at, lines, format, width, top = 0, redraw }) {
	const end = at.at(-1) ?? 0;
	const begin = end - SPAN;
	const highest = scale(Math.max(top, ...lines.flatMap(({ values }) => values.filter(value => value !== null))));
	const x = time => LEFT + (width - LEFT - RIGHT) * Math.max((time - begin) / SPAN, 0);
	const y = value => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(value / highest, 1));
	const cursor = cursors.has(id) ? nearest(at, cursors.get(id)) : -1;
	const move = i => {
		cursors.set(id, at[i]);
		redraw();
	};
	const svg = s('svg', {
		viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: 'img', tabindex: 0, class: 'chart', 'aria-label': summary(title, lines, format),
		onpointermove: event => {
			const box = event.currentTarget.getBoundingClientRect();
			const time = begin + SPAN * ((event.clientX - box.left) * width / box.width - LEFT) / (width - LEFT - RIGHT);
			const i = nearest(at, time);
			if (i >= 0 && Math.abs(x(at[i]) - x(time)) < TOUCHES && at[i] !== cursors.get(id)) {
				move(i);
			}
		},
		onpointerleave: () => cursors.delete(id) && redraw(),
		onblur: () => cursors.delete(id) && redraw(),
		onkeydown: event => {
			const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
			if (step && at.length > 0) {
				event.preventDefault();
				move(Math.min(Math.max((cursor < 0 ? at.length : cursor) + step, 0), at.length - 1));
			}
		},
	});
	for (const share of [0, 0.5, 1]) {
		const at = y(highest * share);
		svg.append(
			s('line', { x1: LEFT, x2: width - RIGHT, y1: at, y2: at, class: 'grid' }),
			s('text', { x: LEFT - 6, y: at + 4, class: 'tick end' }, tick(format(highest * share))),
		);
	}
	for (const minutes of [10, 5, 0]) {
		const place = { 10: 'begin', 5: 'middle', 0: 'end' }[minutes];
		svg.append(s('text', { x: x(end - minutes * 60), y: HEIGHT - 6, class: `tick ${place}` }, minutes === 0 ? 'now' : `${minutes} min ago`));
	}
	for (const [i, { values, dashed }] of lines.entries()) {
		for (const piece of gaps(at, values)) {
			if (piece.length === 1) {
				svg.append(s('circle', { cx: x(piece[0][0]), cy: y(piece[0][1]), r: 2, class: `dot line${i}` }));
			} else if (piece.length > 1) {
				svg.append(s('polyline', {
					points: piece.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`).join(' '), class: `line line${i}${dashed ? ' dashed' : ''}`,
				}));
			}
		}
	}
	if (cursor >= 0) {
		svg.append(s('line', { x1: x(at[cursor]), x2: x(at[cursor]), y1: TOP, y2: HEIGHT - BOTTOM, class: 'cursor' }));
	}
	const shown = cursor >= 0 ? cursor : at.length - 1;
	return h('figure', { 'data-key': `chart ${id}` },
		h('figcaption', {}, h('span', { class: 'title' }, title), h('span', { class: 'when' }, cursor >= 0 ? clock(at[cursor]) : '')),
		h('ul', { class: 'legend' }, lines.map(({ name, values, dashed }, i) => h('li', { class: `key${i}${dashed ? ' dashed' : ''}` },
			name, ' ', h('b', {}, shown >= 0 && values[shown] !== null && values[shown] !== undefined ? format(values[shown]) : '–')))),
		svg, table(id, title, at, lines, format));
}

const nearest = (at, time) => at.reduce((best, t, i) => (best < 0 || Math.abs(t - time) < Math.abs(at[best] - time) ? i : best), -1);

// summary says in a sentence what the lines show.
function summary(title, lines, format) {
	const parts = lines.map(({ name, values }) => {
		const known = values.filter(value => value !== null && value !== undefined);
		return known.length === 0 ? `${name}: nothing yet`
			: `${name}: now ${format(known.at(-1))}, from ${format(Math.min(...known))} to ${format(Math.max(...known))}`;
	});
	return `${title}, the last ten minutes. ${parts.join('. ')}. Arrow keys move through time.`;
}

function table(id, title, at, lines, format) {
	return h('details', { class: 'numbers' }, h('summary', {}, 'As a table'),
		h('div', { class: 'scroll' }, h('table', {},
			h('caption', { class: 'hidden' }, title),
			h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Time'), lines.map(({ name }) => h('th', { scope: 'col', class: 'number' }, name)))),
			h('tbody', {}, at.map((time, i) => h('tr', { 'data-key': time },
				h('th', { scope: 'row' }, clock(time)),
				lines.map(({ values }) => h('td', { class: 'number' }, values[i] === null || values[i] === undefined ? '–' : format(values[i])))))
				.reverse()))));
}

// spark draws a small line without axes; it stands beside the number that it is about.
export function spark(values, highest, className = 'line0') {
	const [width, height] = [90, 20];
	const step = width / 59;
	const points = values.map((value, i) => `${(width - (values.length - 1 - i) * step).toFixed(1)},${(height - 1 - (height - 2) * Math.min(value / highest, 1)).toFixed(1)}`);
	return s('svg', { viewBox: `0 0 ${width} ${height}`, width, height, class: 'spark', 'aria-hidden': 'true' },
		points.length > 1 && s('polyline', { points: points.join(' '), class: `line ${className}` }));
}

// bands draws which state something was in over time, a strip for each name.
export function bands({ id, title, at, rows, width }) {
	const end = at.at(-1) ?? 0;
	const begin = end - SPAN;
	const x = time => LEFT + (width - LEFT - RIGHT) * Math.max((time - begin) / SPAN, 0);
	const height = rows.length * 22 + BOTTOM;
	const svg = s('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', class: 'chart', 'aria-label': `${title}. ${rows.map(({ name, states }) => `${name}: ${spoken(at, states)}`).join('. ')}` });
	rows.forEach(({ name, states, level }, row) => {
		svg.append(s('text', { x: LEFT - 6, y: row * 22 + 15, class: 'tick end' }, name));
		states.forEach((state, i) => {
			const from = x(at[i] - 10);
			svg.append(s('rect', { x: from, y: row * 22 + 3, width: Math.max(x(at[i]) - from, 1) + 0.5, height: 16, class: `band ${level(state)}` }, s('title', {}, `${clock(at[i])} ${state}`)));
		});
	});
	for (const minutes of [10, 5, 0]) {
		const place = { 10: 'begin', 5: 'middle', 0: 'end' }[minutes];
		svg.append(s('text', { x: x(end - minutes * 60), y: height - 6, class: `tick ${place}` }, minutes === 0 ? 'now' : `${minutes} min ago`));
	}
	return h('figure', { 'data-key': `chart ${id}` }, h('figcaption', {}, h('span', { class: 'title' }, title)), svg);
}

// spoken tells the changes of state.
function spoken(at, states) {
	const changes = states.flatMap((state, i) => (i === 0 || state !== states[i - 1] ? [`${state} since ${clock(at[i])}`] : []));
	return changes.length > 0 ? changes.slice(-5).join(', ') : 'nothing yet';
}
