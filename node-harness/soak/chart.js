// Draws what processes held after each round, as SVG: a panel for each figure, a line for each process.
import { names } from './verdict.js';

const WIDTH = 720;
const HEIGHT = 150; // of a panel
const LEFT = 60;
const RIGHT = 150;
const TOP = 34;
const COLOURS = ['#0b6e99', '#c2571a', '#3d7a3a', '#8a4fa0', '#a08a1c', '#b0305a', '#555'];
const MB = 1 << 20;
const isGo = ({ goroutines }) => goroutines !== undefined;
const PANELS = [
	{ title: 'Live heap of workers and nodes, MB', what: 'live', unit: MB, of: isGo },
	{ title: 'Heap of applications (Node.js), MB', what: 'live', unit: MB, of: holds => !isGo(holds) },
	{ title: 'Resident memory, MB', what: 'rss', unit: MB },
	{ title: 'Goroutines', what: 'goroutines', unit: 1 },
];

// chart returns an SVG image.
export function chart(title, rounds) {
	const panels = PANELS.map((panel, i) => draw(panel, rounds, TOP + i * (HEIGHT + 40)));
	const height = TOP + PANELS.length * (HEIGHT + 40);
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
<text x="${LEFT}" y="20" font-size="14">${title}</text>
${panels.join('\n')}
</svg>
`;
}

function draw({ title, what, unit, of = () => true }, rounds, top) {
	const lines = names(rounds).map(name => ({ name, values: rounds.map(({ holds }) => holds[name] && of(holds[name]) ? holds[name][what] : undefined) }))
		.filter(({ values }) => values.some(value => value !== undefined));
	const most = nice(Math.max(...lines.flatMap(({ values }) => values.filter(value => value !== undefined))) / unit);
	const x = i => LEFT + (rounds.length > 1 ? i / (rounds.length - 1) : 0) * (WIDTH - LEFT - RIGHT);
	const y = value => top + HEIGHT - value / unit / most * (HEIGHT - 20);
	const grid = [0, 0.5, 1].map(part => {
		const at = y(part * most * unit);
		return `<path d="M${LEFT} ${at}H${WIDTH - RIGHT}" stroke="#ddd"/><text x="${LEFT - 6}" y="${at + 4}" text-anchor="end" fill="#555">${part * most}</text>`;
	});
	const labels = spread(lines.map(({ values }) => y(values.findLast(value => value !== undefined))));
	const paths = lines.map(({ name, values }, i) => {
		const colour = COLOURS[i % COLOURS.length];
		const points = values.flatMap((value, round) => (value === undefined ? [] : [`${x(round).toFixed(1)},${y(value).toFixed(1)}`]));
		return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="1.5"/>`
			+ `<text x="${WIDTH - RIGHT + 8}" y="${labels[i] + 4}" fill="${colour}">${name}</text>`;
	});
	return [
		`<text x="${LEFT}" y="${top + 12}" fill="#333">${title}</text>`, ...grid, ...paths,
		`<text x="${WIDTH - RIGHT}" y="${top + HEIGHT + 14}" text-anchor="end" fill="#555">after round ${rounds.length}</text>`,
		`<text x="${LEFT}" y="${top + HEIGHT + 14}" fill="#555">1</text>`,
	].join('\n');
}

// nice returns the next number that is 1, 2 or 5 times a power of ten.
function nice(value) {
	const power = 10 ** Math.floor(Math.log10(value));
	return [1, 2, 5, 10].map(factor => factor * power).find(candidate => candidate >= value);
}

// spread moves labels apart that would cover each other.
function spread(heights) {
	const order = heights.map((_, i) => i).sort((a, b) => heights[a] - heights[b]);
	const at = [];
	order.forEach((i, k) => (at[i] = Math.max(heights[i], k > 0 ? at[order[k - 1]] + 13 : 0)));
	return at;
}
