// Numbers in the words that people read.

export const NONE = '–';

export function bitrate(bps) {
	if (bps === undefined || bps === null) {
		return NONE;
	}
	for (const [unit, size] of [['Gbit/s', 1e9], ['Mbit/s', 1e6], ['kbit/s', 1e3]]) {
		if (bps >= size) {
			return `${short(bps / size)} ${unit}`;
		}
	}
	return `${Math.round(bps)} bit/s`;
}

// short has three digits.
function short(n) {
	return n >= 100 ? n.toFixed(0) : n >= 10 ? n.toFixed(1) : n.toFixed(2);
}

export const percent = (share, digits = 0) => (share === undefined || share === null ? NONE : `${(100 * share).toFixed(digits)} %`);
export const loss = share => percent(share, share > 0 && share < 0.1 ? 1 : 0);
export const count = n => (n === undefined || n === null ? NONE : n.toLocaleString('en'));
export const milliseconds = ms => (ms > 0 ? `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms` : NONE);
export const clock = seconds => new Date(seconds * 1000).toLocaleTimeString('en-GB');

export function bytes(n) {
	for (const [unit, size] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]]) {
		if (n >= size) {
			return `${short(n / size)} ${unit}`;
		}
	}
	return `${n} B`;
}

// since is a duration in its largest units.
export function since(seconds) {
	const [d, h, m] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
	return d > 0 ? `${d} d ${h} h` : h > 0 ? `${h} h ${m} min` : m > 0 ? `${m} min` : `${Math.max(Math.floor(seconds), 0)} s`;
}

// brief is a part of a long id, enough to tell ids apart; those of relays all begin alike.
export const brief = id => (id.length <= 12 ? id : id.startsWith('gazpacho') ? `…${id.slice(-8)}` : `${id.slice(0, 8)}…`);
