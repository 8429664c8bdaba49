// From the browser's counters (getStats) to what people read: bitrates in bit/s, losses as fractions, times in ms. Pure.

// rate returns by how much a counter grew each second between two rows of getStats; undefined if they do not have it.
function rate(now, before, counter) {
	const seconds = (now.timestamp - before.timestamp) / 1000;
	const growth = now[counter] - before[counter];
	return seconds > 0 && Number.isFinite(growth) ? growth / seconds : undefined;
}

const times = (value, factor) => (value === undefined ? undefined : value * factor);

// received returns the figures of a stream that comes in: two rows of type inbound-rtp.
export function received(now, before) {
	const lost = now.packetsLost - before.packetsLost;
	const came = now.packetsReceived - before.packetsReceived;
	return {
		bitrate: times(rate(now, before, 'bytesReceived'), 8),
		loss: lost > 0 ? lost / (lost + came) : 0,
		frames: rate(now, before, 'framesDecoded'),
		width: now.frameWidth, height: now.frameHeight,
	};
}

// sent returns the same of a stream that goes out: two rows of type outbound-rtp. report is the receiver's (remote-inbound-rtp).
export function sent(now, before, report) {
	return {
		rid: now.rid,
		bitrate: times(rate(now, before, 'bytesSent'), 8),
		loss: report?.fractionLost ?? 0,
		frames: rate(now, before, 'framesSent'),
		width: now.frameWidth, height: now.frameHeight,
		limit: now.qualityLimitationReason === 'none' ? undefined : now.qualityLimitationReason,
	};
}

// path returns what the browser knows of its connection: the candidate pair in use. A receiver's estimate is the server's to tell.
export function path(rows) {
	const transport = rows.find(({ type }) => type === 'transport');
	const pair = rows.find(({ id }) => id === transport?.selectedCandidatePairId)
		?? rows.find(({ type, nominated, state }) => type === 'candidate-pair' && nominated && state === 'succeeded');
	return {
		roundTrip: pair?.currentRoundTripTime === undefined ? undefined : pair.currentRoundTripTime * 1000,
		estimate: pair?.availableOutgoingBitrate,
	};
}

// sum and most leave out what is not known.
export const sum = (rows, figure) => rows.reduce((total, row) => total + (row[figure] ?? 0), 0);
export const most = (rows, figure) => rows.reduce((highest, row) => Math.max(highest, row[figure] ?? 0), 0);

// History keeps the last values of each series of one person, for the charts.
const KEPT = 120;

export class History {
	series = {};

	add(values) {
		for (const [name, value] of Object.entries(values)) {
			const kept = (this.series[name] ??= []);
			kept.push(Number.isFinite(value) ? value : undefined);
			if (kept.length > KEPT) {
				kept.shift();
			}
		}
	}
}

export function bits(value) {
	if (!Number.isFinite(value)) {
		return '–';
	}
	return value >= 999_500 ? `${(value / 1e6).toFixed(2)} Mbit/s` : `${Math.round(value / 1000)} kbit/s`;
}

export const percent = value => (Number.isFinite(value) ? `${(value * 100).toFixed(value > 0 && value < 0.1 ? 1 : 0)} %` : '–');

export function milliseconds(value) {
	if (!Number.isFinite(value)) {
		return '–';
	}
	return value < 1 ? '< 1 ms' : `${Math.round(value)} ms`;
}
