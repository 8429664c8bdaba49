// A small live chart: lines of the last two minutes, drawn as SVG.
import { el, svg } from './dom.js';

const WIDTH = 240;
const HEIGHT = 44;
const POINTS = 120;

// Chart shows up to two series in one scale. title names it, format makes a text of a value, least is the smallest height of its scale.
export class Chart {
	constructor({ title, format, least, names }) {
		Object.assign(this, { title, format, least, names });
		this.area = svg('path', { class: 'area' });
		this.lines = names.map((_, i) => svg('path', { class: `line line-${i}` }));
		this.cursor = svg('path', { class: 'cursor' });
		this.drawing = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img' }, this.area, ...this.lines, this.cursor);
		this.values = names.map((_, i) => el('b', { className: `value value-${i}` }));
		this.top = el('span', { className: 'quiet', hidden: names.length > 1 }); // there is no room for it
		this.when = el('span', { className: 'quiet when' });
		const captions = names.map((name, i) => el('span', { className: `caption caption-${i}` }, name, ' ', this.values[i]));
		this.element = el('figure', { className: 'chart' },
			el('figcaption', {}, ...captions, this.when, el('span', { className: 'space' }), this.top), this.drawing);
		this.drawing.addEventListener('pointermove', event => this.#point(event));
		this.drawing.addEventListener('pointerleave', () => this.#point());
		this.show(names.map(() => []));
	}

	// show draws series of values, the newest last; undefined makes a gap.
	show(series) {
		this.series = series;
		const known = series.flat().filter(value => value !== undefined);
		this.scale = Math.max(this.least, ...known) * 1.1;
		series.forEach((values, i) => this.lines[i].setAttribute('d', this.#line(values)));
		this.area.setAttribute('d', this.#under(series[0]));
		this.top.textContent = known.length > 0 ? `most ${this.format(Math.max(...known))}` : '';
		this.#tell();
		const said = this.names.map((name, i) => `${name} now ${this.format(series[i].at(-1))}`);
		this.drawing.setAttribute('aria-label', `${this.title}, last two minutes: ${said.join(', ')}`);
	}

	#x(index, length) {
		return WIDTH - (length - 1 - index) * (WIDTH / (POINTS - 1));
	}

	#line(values) {
		let pen = 'M';
		return values.map((value, i) => {
			if (value === undefined) {
				pen = 'M';
				return '';
			}
			const point = `${pen}${this.#x(i, values.length).toFixed(1)} ${(HEIGHT - value / this.scale * HEIGHT).toFixed(1)}`;
			pen = 'L';
			return point;
		}).join('');
	}

	#under(values) {
		const first = values.findIndex(value => value !== undefined);
		if (first < 0 || values.slice(first).includes(undefined)) {
			return '';
		}
		return `${this.#line(values)}V${HEIGHT}H${this.#x(first, values.length).toFixed(1)}Z`;
	}

	// #point has the figures be those under the pointer.
	#point(event) {
		const box = this.drawing.getBoundingClientRect();
		this.back = event && Math.round((box.right - event.clientX) / box.width * (POINTS - 1));
		this.#tell();
	}

	#tell() {
		const back = Math.min(this.back ?? 0, Math.max(this.series[0].length - 1, 0));
		this.values.forEach((value, i) => (value.textContent = this.format(this.series[i].at(-1 - back))));
		this.when.textContent = back > 0 ? `${back} s ago` : '';
		this.cursor.setAttribute('d', back > 0 ? `M${this.#x(POINTS - 1 - back, POINTS).toFixed(1)} 0V${HEIGHT}` : '');
	}
}
