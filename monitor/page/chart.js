// Line charts of the last ten minutes. Each can be read with the eyes, with the keyboard (arrows move the cursor), and as a table.
import { h, s } from './dom.js';
import { bitrate, clock, NONE } from './format.js';

const SPAN = 600; // seconds
const SAMPLE = 10; // seconds
const GAP = 25; // seconds between samples above which some are missing
const HEIGHT = 150;
const TOP = 10;
const BOTTOM = 22;
const LEFT = 70;
const RIGHT = 8;
const BAND = 28;
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
		if (!known(value) || (i > 0 && at[i] - at[i - 1] > GAP)) {
			yield piece;
			piece = [];
		}
		if (known(value)) {
			piece.push([at[i], value]);
		}
	}
	yield piece;
}

// axes draws the grid of a chart whose values go up to highest.
function axes({ width, highest, x, y, end, format }) {
	return [
		[0, 0.5, 1].map(share => [
			s('line', { x1: LEFT, x2: width - RIGHT, y1: y(highest * share), y2: y(highest * share), class: 'grid' }),
			s('text', { x: LEFT - 6, y: y(highest * share) + 4, class: 'tick end' }, tick(format(highest * share))),
		]),
		times(x, end, HEIGHT),
	];
}

// times names times below a chart.
const times = (x, end, height) => [[10, 'begin'], [5, 'middle'], [0, 'end']].map(([minutes, place]) =>
	s('text', { x: x(end - minutes * 60), y: height - 6, class: `tick ${place}` }, minutes === 0 ? 'now' : `${minutes} min ago`));

// draw draws a line, in pieces where samples are missing.
const draw = (at, { values, dashed }, i, x, y) => [...gaps(at, values)].map(piece => {
	if (piece.length === 1) {
		return s('circle', { cx: x(piece[0][0]), cy: y(piece[0][1]), r: 2, class: `dot line${i}` });
	}
	const points = piece.map(([time, value]) => `${x(time).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
	return piece.length > 1 && s('polyline', { points, class: `line line${i}${dashed ? ' dashed' : ''}` });
});

// across returns where a time is on a chart of a width.
const across = (width, begin) => time => LEFT + (width - LEFT - RIGHT) * Math.max((time - begin) / SPAN, 0);

// moved returns handlers that move a chart's cursor, by pointer and by keys.
function moved({ id, at, x, begin, width, redraw }) {
	const move = i => {
		cursors.set(id, at[i]);
		redraw();
	};
	const leave = () => cursors.delete(id) && redraw();
	return {
		onpointermove: event => {
			const box = event.currentTarget.getBoundingClientRect();
			const time = begin + SPAN * ((event.clientX - box.left) * width / box.width - LEFT) / (width - LEFT - RIGHT);
			const i = nearest(at, time);
			if (i >= 0 && Math.abs(x(at[i]) - x(time)) < TOUCHES && at[i] !== cursors.get(id)) {
				move(i);
			}
		},
		onpointerleave: leave,
		onblur: leave,
		onkeydown: event => {
			const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
			if (step && at.length > 0) {
				event.preventDefault();
				const from = cursors.has(id) ? nearest(at, cursors.get(id)) : at.length;
				move(Math.min(Math.max(from + step, 0), at.length - 1));
			}
		},
	};
}

// chart draws lines: at has the times in seconds, and each of lines a name, values, and perhaps dashed. format makes text of a value; top is
// the least upper end of the axis.
export function chart({ id, title, at, lines, format, width, top = 0, redraw }) {
	const end = at.at(-1) ?? 0;
	const begin = end - SPAN;
	const highest = scale(Math.max(top, format === bitrate ? 1000 : 0, ...lines.flatMap(({ values }) => values.filter(known))));
	const x = across(width, begin);
	const y = value => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(value / highest, 1));
	const cursor = cursors.has(id) ? nearest(at, cursors.get(id)) : -1;
	const shown = cursor >= 0 ? cursor : at.length - 1;
	return h('figure', { 'data-key': `chart ${id}` },
		h('figcaption', {}, h('span', { class: 'title' }, title), h('span', { class: 'when' }, cursor >= 0 ? clock(at[cursor]) : '')),
		h('ul', { class: 'legend' }, lines.map(({ name, values, dashed }, i) =>
			h('li', { class: `key${i}${dashed ? ' dashed' : ''}` }, name, ' ', h('b', {}, known(values[shown]) ? format(values[shown]) : NONE)))),
		s('svg', {
			viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: 'img', tabindex: 0, class: 'chart', 'aria-label': summary(title, lines, format),
			...moved({ id, at, x, begin, width, redraw }),
		},
		axes({ width, highest, x, y, end, format }), lines.map((line, i) => draw(at, line, i, x, y)),
		cursor >= 0 && s('line', { x1: x(at[cursor]), x2: x(at[cursor]), y1: TOP, y2: HEIGHT - BOTTOM, class: 'cursor' })),
		table(title, at, lines, format));
}

const known = value => value !== null && value !== undefined;
const nearest = (at, time) => at.reduce((best, t, i) => (best < 0 || Math.abs(t - time) < Math.abs(at[best] - time) ? i : best), -1);

// summary says in a sentence what the lines show.
function summary(title, lines, format) {
	const parts = lines.map(({ name, values }) => {
		const all = values.filter(known);
		return all.length === 0 ? `${name}: nothing yet` : `${name}: now ${format(all.at(-1))}, from ${format(Math.min(...all))} to ${format(Math.max(...all))}`;
	});
	return `${title}, the last ten minutes. ${parts.join('. ')}. Arrow keys move through time.`;
}

function table(title, at, lines, format) {
	return h('details', { class: 'numbers' }, h('summary', {}, 'As a table'),
		h('div', { class: 'scroll' }, h('table', {},
			h('caption', { class: 'hidden' }, title),
			h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Time'), lines.map(({ name }) => h('th', { scope: 'col', class: 'number' }, name)))),
			h('tbody', {}, at.map((time, i) => h('tr', { 'data-key': time },
				h('th', { scope: 'row' }, clock(time)),
				lines.map(({ values }) => h('td', { class: 'number' }, known(values[i]) ? format(values[i]) : NONE))))
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
	const x = across(width, end - SPAN);
	const place = row => TOP + (HEIGHT - TOP - BOTTOM) * (row + 0.5) / rows.length;
	const strip = ({ name, states, level }, row) => [
		s('text', { x: LEFT - 6, y: place(row) + 4, class: 'tick end' }, name),
		[...stretches(at, states)].map(([from, to, state]) => s('rect', {
			x: x(from - SAMPLE), y: place(row) - BAND / 2, width: Math.max(x(to) - x(from - SAMPLE), 2), height: BAND, rx: 2, class: `band ${level(state)}`,
		}, s('title', {}, `${state}, ${clock(from - SAMPLE)} to ${clock(to)}`))),
	];
	return h('figure', { 'data-key': `chart ${id}` }, h('figcaption', {}, h('span', { class: 'title' }, title)),
		h('ul', { class: 'legend plain' }, rows.map(({ name, states }) => h('li', {}, name, ' ', h('b', {}, states.at(-1) ?? NONE)))),
		s('svg', {
			viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: 'img', class: 'chart',
			'aria-label': `${title}. ${rows.map(({ name, states }) => `${name}: ${spoken(at, states)}`).join('. ')}`,
		}, rows.map(strip), times(x, end, HEIGHT)),
		table(title, at, rows.map(({ name, states }) => ({ name, values: states })), state => state));
}

// stretches are the times in which a state stayed the same.
function* stretches(at, states) {
	let begin = 0;
	for (let i = 1; i <= at.length; i++) {
		if (i === at.length || states[i] !== states[begin] || at[i] - at[i - 1] > GAP) {
			yield [at[begin], at[i - 1], states[begin]];
			begin = i;
		}
	}
}

// spoken tells the changes of state.
function spoken(at, states) {
	const changes = states.flatMap((state, i) => (i === 0 || state !== states[i - 1] ? [`${state} since ${clock(at[i])}`] : []));
	return changes.length > 0 ? changes.slice(-5).join(', ') : 'nothing yet';
}
