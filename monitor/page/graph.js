// The nodes as a graph: how full each is, and what goes between them.
import { s } from './dom.js';
import { bitrate, count, percent } from './format.js';
import { loadLevel, stateLevel } from './parts.js';

const RADIUS = 34;
const WIDEST = 900; // pixels
const NARROW = 520; // below which rates do not fit
const MARGIN = 8;
const NAME = 36; // height of a name and what stands below it
const BESIDE = 14; // from a line to its rate
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

// isDown says that a node does not answer.
export const isDown = ({ state, error }) => Boolean(error) || ['dead', 'unreachable', 'gone'].includes(state);

const level = node => (isDown(node) ? 'down' : loadLevel(node.cpu) ?? stateLevel(node.state));

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
			// Each direction's rate stands near the node that it leaves, beside the line: outside of the ring of nodes, where no names are.
			const [nx, ny] = [-dy / long, dx / long];
			const outward = ((a.x + b.x) / 2 - width / 2) * nx + ((a.y + b.y) / 2 - (tall / 2 - lowest)) * ny;
			for (const [from, sign, rate] of [[a, 1, pipe.toB], [b, -1, pipe.toA]]) {
				const side = Math.abs(outward) < 1 ? sign : Math.sign(outward);
				const [x, y] = [from.x + sign * dx / long * (radius + 46) + side * nx * BESIDE, from.y + sign * dy / long * (radius + 46) + side * ny * BESIDE];
				const anchor = Math.abs(nx) < 0.3 ? '' : side * nx > 0 ? 'right' : 'left';
				svg.append(s('text', { 'data-key': `rate ${pipe.a} ${pipe.b} ${sign}`, x: x.toFixed(1), y: (y + 4).toFixed(1), class: `rate ${anchor}` }, bitrate(rate)));
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
		!small && s('text', { x, y: y + 5, class: 'load' }, isDown(node) ? '×' : percent(node.cpu)),
		!small && s('text', { x, y: y + radius + 18, class: 'name' }, node.name.length > 22 ? `${node.name.slice(0, 21)}…` : node.name),
		!small && s('text', { x, y: y + radius + 33, class: 'unit' }, isDown(node) ? node.state : node.rooms === 1 ? '1 room' : `${count(node.rooms)} rooms`));
}
