// The nodes as a graph: how full each is, and what goes between them.
import { s } from './dom.js';
import { bitrate, count, percent } from './format.js';

const RADIUS = 34;
const WIDEST = 900; // pixels
const NARROW = 520; // below which rates do not fit
const MARGIN = 8;
const NAME = 20; // height of a name
const MANY = 24; // nodes above which names and numbers do not fit

// place puts nodes on an ellipse, those of one host beside each other.
function place(nodes, width, height) {
	const order = [...nodes].sort((a, b) => `${a.region}/${a.zone}/${a.host}/${a.name}`.localeCompare(`${b.region}/${b.zone}/${b.host}/${b.name}`));
	if (order.length === 1) {
		return new Map([[order[0].name, { x: width / 2, y: height / 2 }]]);
	}
	const [rx, ry] = [width / 2 - RADIUS - 60, height / 2 - RADIUS - 26];
	return new Map(order.map(({ name }, i) => {
		const angle = 2 * Math.PI * i / order.length - Math.PI / 2 + (order.length === 2 ? Math.PI / 2 : 0);
		return [name, { x: width / 2 + rx * Math.cos(angle), y: height / 2 + ry * Math.sin(angle) }];
	}));
}

// level says how full is too full.
export const level = ({ state, cpu, error }) => (error || ['dead', 'unreachable', 'gone'].includes(state) ? 'bad' : state !== 'alive' || cpu > 0.95 ? 'warn' : 'good');

export function graph({ nodes, pipes, width: room }) {
	const width = Math.min(room, WIDEST);
	const many = nodes.length > MANY;
	const radius = many ? 9 : RADIUS;
	const tall = many ? 460 : nodes.length > 6 ? 380 : 330;
	const at = place(nodes, width, tall);
	const lowest = Math.min(...[...at.values()].map(({ y }) => y)) - radius - MARGIN;
	const height = Math.max(...[...at.values()].map(({ y }) => y)) + radius + MARGIN + NAME - lowest;
	at.forEach(point => (point.y -= lowest));
	const svg = s('svg', { viewBox: `0 0 ${width} ${height}`, width, height, class: 'graph', role: 'group', 'aria-label': 'Nodes and what goes between them; the tables below have the same numbers' });
	const busiest = Math.max(1, ...pipes.map(({ toA, toB }) => toA + toB));
	for (const pipe of pipes) {
		const [a, b] = [at.get(pipe.a), at.get(pipe.b)];
		if (!a || !b) {
			continue;
		}
		const [dx, dy] = [b.x - a.x, b.y - a.y];
		const long = Math.hypot(dx, dy) || 1;
		const title = `${pipe.a} to ${pipe.b}: ${bitrate(pipe.toB)}; ${pipe.b} to ${pipe.a}: ${bitrate(pipe.toA)}; ${count(pipe.relays)} relays of ${count(pipe.rooms)} rooms, ${count(pipe.links)} links for data`;
		svg.append(s('line', {
			'data-key': `pipe ${pipe.a} ${pipe.b}`, x1: a.x, y1: a.y, x2: b.x, y2: b.y, class: `pipe${pipe.brokenLinks > 0 ? ' broken' : ''}`,
			'stroke-width': (1.5 + 7 * Math.sqrt((pipe.toA + pipe.toB) / busiest)).toFixed(1),
		}, s('title', {}, title)));
		if (width >= NARROW && nodes.length <= 8) {
			// Each direction's rate stands near the node that it leaves, beside the line.
			for (const [from, sign, rate] of [[a, 1, pipe.toB], [b, -1, pipe.toA]]) {
				const along = radius + 46;
				svg.append(s('text', {
					'data-key': `rate ${pipe.a} ${pipe.b} ${sign}`, x: (from.x + sign * dx / long * along - dy / long * 10 * sign).toFixed(1),
					y: (from.y + sign * dy / long * along + dx / long * 10 * sign + 4).toFixed(1), class: 'rate',
				}, bitrate(rate)));
			}
		}
	}
	for (const node of nodes) {
		svg.append(circle(node, at.get(node.name), radius, many));
	}
	return svg;
}

// circle draws a node, with its load as a ring.
function circle(node, { x, y }, radius, small) {
	const around = 2 * Math.PI * radius;
	const words = `${node.name}: ${node.error ? node.error : node.state}, load ${percent(node.cpu)}, ${count(node.rooms)} rooms, ${count(node.sums.transports)} transports`;
	return s('a', { 'data-key': `node ${node.name}`, href: `#/node/${encodeURIComponent(node.name)}`, class: `node ${level(node)}`, 'aria-label': words },
		s('title', {}, words),
		s('circle', { cx: x, cy: y, r: radius, class: 'disc' }),
		s('circle', { cx: x, cy: y, r: radius, class: 'ring', 'stroke-dasharray': `${(around * Math.min(node.cpu, 1)).toFixed(1)} ${around.toFixed(1)}`, transform: `rotate(-90 ${x} ${y})` }),
		!small && s('text', { x, y: y - 2, class: 'load' }, node.error ? '×' : percent(node.cpu)),
		!small && !node.error && s('text', { x, y: y + 14, class: 'unit' }, `${count(node.sums.transports)} tr.`),
		!small && s('text', { x, y: y + radius + 18, class: 'name' }, node.name.length > 22 ? `${node.name.slice(0, 21)}…` : node.name, node.error && s('tspan', { class: 'unit' }, ` ${node.state}`)));
}
