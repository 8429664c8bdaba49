// The stage: people in a grid, or shared screens large and people in a strip beside them.
import { byId } from './dom.js';
import { arrange } from './layout.js';

export class Stage {
	#stage = byId('stage');
	#presentation = byId('presentation');
	#grid = byId('grid');

	constructor() {
		new ResizeObserver(() => this.layOut()).observe(this.#stage);
	}

	add(tile) {
		(tile.element.classList.contains('screen') ? this.#presentation : this.#grid).append(tile.element);
		this.layOut();
	}

	remove(tile) {
		tile.remove();
		this.layOut();
	}

	layOut() {
		const presents = this.#presentation.children.length > 0;
		this.#presentation.hidden = !presents;
		this.#stage.classList.toggle('presents', presents);
		if (!presents) {
			const { width, height } = arrange(this.#grid.children.length, { width: this.#grid.clientWidth, height: this.#grid.clientHeight });
			this.#grid.style.setProperty('--tile-width', `${width}px`);
			this.#grid.style.setProperty('--tile-height', `${height}px`);
		}
	}
}
