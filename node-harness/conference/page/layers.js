// Which layers there are, and which one a tile needs. Pure.
import { parseScalabilityMode } from 'mediasoup-client';

const ENOUGH = 0.75; // of a tile's pixels: a picture that is a little smaller looks the same

// possible returns how many spatial and temporal layers a consumer can choose from.
export function possible({ encodings: [{ scalabilityMode }] }) {
	const { spatialLayers, temporalLayers } = parseScalabilityMode(scalabilityMode);
	return { spatial: spatialLayers, temporal: temporalLayers };
}

// layerFor returns the lowest spatial layer that fills a tile of tileWidth device pixels. frameWidth is the picture's when layer
// current is shown; each layer is twice as wide as the one below.
export function layerFor({ tileWidth, frameWidth, current, count }) {
	if (!frameWidth || current === undefined) {
		return count - 1;
	}
	const lowest = frameWidth / 2 ** current;
	for (let layer = 0; layer < count; layer++) {
		if (lowest * 2 ** layer >= tileWidth * ENOUGH) {
			return layer;
		}
	}
	return count - 1;
}
