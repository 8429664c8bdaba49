// The choice of a picture's layers: which are sent now, which are possible, and what this person prefers.
import { el } from './dom.js';
import { possible } from './layers.js';

const DEFAULT_PRIORITY = 1;
const MOST_PRIORITY = 255;

// choiceOf returns what is preferred of a stream; it stays with the stream.
export function choiceOf(stream) {
	const { spatial, temporal } = possible(stream.consumer.rtpParameters);
	return (stream.choice ??= { automatic: true, spatialLayer: spatial - 1, temporalLayer: temporal - 1, priority: DEFAULT_PRIORITY });
}

let number = 0;

function slider({ text, min, max, value, describe, onChange }) {
	const id = `slider-${++number}`;
	const output = el('output', { htmlFor: id });
	const input = el('input', { type: 'range', id, min, max, step: 1, value });
	const tell = () => {
		output.textContent = describe(Number(input.value));
		input.setAttribute('aria-valuetext', output.textContent);
	};
	input.addEventListener('input', tell);
	input.addEventListener('change', () => onChange(Number(input.value)));
	tell();
	const set = value => {
		if (document.activeElement !== input) { // else it is being moved
			input.value = value;
			tell();
		}
	};
	return { element: el('div', { className: 'slider' }, el('label', { htmlFor: id }, text), output, input), set };
}

// LayerControls belongs to one stream. onPrefer(stream) and onPriority(stream) pass the choice to the server.
export class LayerControls {
	constructor({ stream, title, onPrefer, onPriority }) {
		Object.assign(this, { stream, onPrefer, onPriority, layers: possible(stream.consumer.rtpParameters), choice: choiceOf(stream) });
		this.now = el('p', { className: 'now' });
		this.cells = this.#cells();
		this.element = el('section', { className: 'layers' }, el('h3', {}, title), el('div', { className: 'layers-now' }, this.cells, this.now));
		if (this.#isLayered()) {
			this.#addSliders();
		}
		this.show();
	}

	// #isLayered: where there is nothing to choose, priorities have no effect either.
	#isLayered() {
		return this.layers.spatial > 1 || this.layers.temporal > 1;
	}

	#addSliders() {
		const { stream, choice, layers: { spatial, temporal } } = this;
		const of = count => layer => `layer ${layer} of 0 to ${count - 1}`;
		this.automatic = el('input', { type: 'checkbox', checked: choice.automatic });
		this.automatic.addEventListener('change', () => this.#prefer({ automatic: this.automatic.checked }));
		this.size = slider({
			text: 'Largest size', min: 0, max: spatial - 1, value: choice.spatialLayer, describe: of(spatial),
			onChange: spatialLayer => this.#prefer({ spatialLayer, automatic: false }),
		});
		this.rate = slider({
			text: 'Highest frame rate', min: 0, max: temporal - 1, value: choice.temporalLayer, describe: of(temporal),
			onChange: temporalLayer => this.#prefer({ temporalLayer }),
		});
		this.priority = slider({
			text: 'Priority when not all fits', min: 1, max: MOST_PRIORITY, value: choice.priority, describe: String,
			onChange: priority => {
				choice.priority = priority;
				this.onPriority(stream);
			},
		});
		this.element.append(
			...(spatial > 1 ? [el('label', { className: 'check' }, this.automatic, 'Size as large as the tile needs'), this.size.element] : []),
			...(temporal > 1 ? [this.rate.element] : []), this.priority.element);
	}

	#prefer(change) {
		Object.assign(this.choice, change);
		this.onPrefer(this.stream);
		this.show();
	}

	// #cells: a row for each size, the largest on top, and a column for each frame rate.
	#cells() {
		const { spatial, temporal } = this.layers;
		const cells = el('div', { className: 'cells', 'aria-hidden': 'true' });
		cells.style.setProperty('--columns', temporal);
		for (let s = spatial - 1; s >= 0; s--) {
			for (let t = 0; t < temporal; t++) {
				cells.append(el('span', { title: `size ${s}, frame rate ${t}` }));
			}
		}
		return cells;
	}

	// show brings the controls up to date. figures are the stream's.
	show(figures) {
		const shape = figures?.width ? `${figures.width} × ${figures.height}, ${Math.round(figures.frames)} frames/s` : '';
		this.cells.hidden = !this.#isLayered();
		if (!this.#isLayered()) {
			this.now.replaceChildren(shape, el('span', { className: 'quiet' }, 'One size and one frame rate only'));
			return;
		}
		const { layers: { spatial, temporal }, stream: { layers } } = this;
		this.#showCells(layers);
		this.now.replaceChildren(
			el('span', {}, layers ? `Now size ${layers.spatialLayer}, frame rate ${layers.temporalLayer}` : 'Now no layer at all'),
			el('span', { className: 'quiet' }, `of sizes 0 to ${spatial - 1}, rates 0 to ${temporal - 1}`),
			el('span', { className: 'quiet' }, shape));
		this.automatic.checked = this.choice.automatic;
		this.size.set(this.choice.spatialLayer);
		this.rate.set(this.choice.temporalLayer);
	}

	#showCells(layers) {
		const { choice, layers: { spatial, temporal } } = this;
		[...this.cells.children].forEach((cell, i) => {
			const [s, t] = [spatial - 1 - Math.floor(i / temporal), i % temporal];
			cell.classList.toggle('preferred', s <= choice.spatialLayer && t <= choice.temporalLayer);
			cell.classList.toggle('current', Boolean(layers) && s <= layers.spatialLayer && t <= layers.temporalLayer);
		});
	}
}
