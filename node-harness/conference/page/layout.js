// How tiles fill the stage. Pure.
const GAP = 12; // px, as in the style sheet
const SHAPES = [16 / 9, 4 / 3, 1]; // pictures may be cut to these, wide ones first

// arrange returns { columns, width, height } of tiles in px such that count of them cover as much of the area as they can.
export function arrange(count, area) {
	let best = { columns: 1, width: 0, height: 0 };
	for (const shape of SHAPES) {
		for (let columns = 1; columns <= count; columns++) {
			const tile = fit(columns, Math.ceil(count / columns), shape, area);
			// A narrower shape must be worth it.
			if (tile.width * tile.height > best.width * best.height * 1.1) {
				best = { columns, ...tile };
			}
		}
	}
	return best;
}

function fit(columns, rows, shape, area) {
	const widest = (area.width - GAP * (columns - 1)) / columns;
	const highest = (area.height - GAP * (rows - 1)) / rows;
	const width = Math.max(0, Math.floor(Math.min(widest, highest * shape)));
	return { width, height: Math.floor(width / shape) };
}
