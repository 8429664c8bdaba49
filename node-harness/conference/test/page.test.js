// The pure parts of the page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { History, bits, milliseconds, path, percent, received, sent } from '../page/figures.js';
import { layerFor, possible } from '../page/layers.js';
import { arrange } from '../page/layout.js';

const WIDE = { width: 1280, height: 720 };
const PHONE = { width: 390, height: 700 };

test('tiles fit the stage, and cover a good part of it, for 1 to 16 people', () => {
	for (const area of [WIDE, PHONE]) {
		for (let count = 1; count <= 16; count++) {
			const { columns, width, height } = arrange(count, area);
			const rows = Math.ceil(count / columns);
			assert.ok(columns * width + (columns - 1) * 12 <= area.width, `${count} in ${area.width}`);
			assert.ok(rows * height + (rows - 1) * 12 <= area.height, `${count} in ${area.height}`);
			const covered = count * width * height / (area.width * area.height);
			assert.ok(covered > 0.5, `${count} cover ${covered} of ${area.width} × ${area.height}`);
		}
	}
});

test('one is large, two stand side by side or one above the other, nine are three by three', () => {
	assert.equal(arrange(1, WIDE).height, 720);
	assert.equal(arrange(2, WIDE).columns, 2);
	assert.equal(arrange(2, PHONE).columns, 1);
	assert.equal(arrange(9, WIDE).columns, 3);
	assert.deepEqual(arrange(0, WIDE), { columns: 1, width: 0, height: 0 });
	assert.equal(arrange(3, { width: 0, height: 0 }).width, 0);
});

test('a tile gets the smallest layer that fills it', () => {
	const layer = tileWidth => layerFor({ tileWidth, frameWidth: 640, current: 1, count: 3 }); // 320, 640, 1280
	assert.deepEqual([100, 400, 500, 800, 900, 4000].map(layer), [0, 0, 1, 1, 2, 2]);
	assert.equal(layerFor({ tileWidth: 100, frameWidth: undefined, current: 1, count: 3 }), 2); // not known yet
	assert.equal(layerFor({ tileWidth: 100, frameWidth: 640, current: undefined, count: 3 }), 2);
});

test('layers are those of the scalability mode', () => {
	assert.deepEqual(possible({ encodings: [{ scalabilityMode: 'L3T2' }] }), { spatial: 3, temporal: 2 });
	assert.deepEqual(possible({ encodings: [{}] }), { spatial: 1, temporal: 1 });
});

test('bitrates, losses and frames are those between two samples', () => {
	const before = { timestamp: 1000, bytesReceived: 1000, packetsReceived: 10, packetsLost: 1, framesDecoded: 5 };
	const now = { timestamp: 3000, bytesReceived: 26_000, packetsReceived: 40, packetsLost: 11, framesDecoded: 65, frameWidth: 640, frameHeight: 360 };
	assert.deepEqual(received(now, before), { bitrate: 100_000, loss: 0.25, frames: 30, width: 640, height: 360 });
	assert.equal(received({ ...now, packetsLost: 0 }, before).loss, 0); // losses that were late after all
	assert.equal(received(before, before).bitrate, undefined); // the same sample
	assert.equal(sent({ timestamp: 2000, bytesSent: 500, rid: 'r0', qualityLimitationReason: 'cpu' }, { timestamp: 1000, bytesSent: 0 },
		{ fractionLost: 0.1 }).limit, 'cpu');
	const sound = sent({ timestamp: 2000, bytesSent: 500, qualityLimitationReason: 'none' }, { timestamp: 1000, bytesSent: 0 });
	assert.deepEqual([sound.bitrate, sound.loss, sound.frames, sound.limit], [4000, 0, undefined, undefined]);
});

test('the path is that of the candidate pair in use', () => {
	const pairs = [
		{ id: 'a', type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.5 },
		{ id: 'b', type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 0.02, availableOutgoingBitrate: 1e6 },
	];
	assert.deepEqual(path([...pairs, { id: 't', type: 'transport', selectedCandidatePairId: 'b' }]), { roundTrip: 20, estimate: 1e6 });
	assert.equal(path(pairs).roundTrip, 500); // Firefox has no row of the transport
	assert.deepEqual(path([]), { roundTrip: undefined, estimate: undefined });
});

test('a history keeps two minutes, and gaps', () => {
	const history = new History();
	for (let i = 0; i < 130; i++) {
		history.add({ bitrate: i, loss: NaN });
	}
	assert.equal(history.series.bitrate.length, 120);
	assert.equal(history.series.bitrate.at(-1), 129);
	assert.equal(history.series.loss.at(-1), undefined);
});

test('figures as people read them', () => {
	assert.deepEqual([0, 12_345, 999_400, 999_600, 2_500_000, undefined].map(bits),
		['0 kbit/s', '12 kbit/s', '999 kbit/s', '1.00 Mbit/s', '2.50 Mbit/s', '–']);
	assert.deepEqual([0, 0.004, 0.5, undefined].map(percent), ['0 %', '0.4 %', '50 %', '–']);
	assert.deepEqual([0, 1.25, 48.7, undefined].map(milliseconds), ['< 1 ms', '1 ms', '49 ms', '–']);
});
