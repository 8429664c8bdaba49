// A page behind a link that changes by a plan, and what the page shows meanwhile.
const SAMPLE_MS = 100;
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

// shape makes both directions of a relay 25 ms long. The queue before the way down holds 300 ms.
export function shape({ up, down }) {
	Object.assign(up, { delay: 25 });
	Object.assign(down, { delay: 25, queue: 300 });
}

// sample returns the counters that a phase is judged by.
async function sample(page, consumer, sound, { down }) {
	const [video, audio] = await Promise.all([page.stats(consumer), sound && page.stats(sound)]);
	return {
		bytes: video.bytesReceived - (video.retransmittedBytesReceived ?? 0), frames: video.framesDecoded, width: video.frameWidth,
		height: video.frameHeight, freezes: video.freezeCount, frozen: video.totalFreezesDuration, nacks: video.nackCount, plis: video.pliCount,
		samples: audio?.totalSamplesReceived, concealed: audio && audio.concealedSamples - audio.silentConcealedSamples,
		carried: down.carried, dropped: down.dropped, waited: down.waited, at: performance.now(),
	};
}

// burst loses everything for 200 ms every 5 s, until the function that it returns is called.
function burst(down) {
	const timer = setInterval(() => {
		down.loss = 1;
		setTimeout(() => (down.loss = 0), 200);
	}, 5000);
	return () => clearInterval(timer);
}

// play lets the link of a page be as a phase says, for as long as it says, and returns what came of it. A phase has seconds, kbps
// (0: not limited), loss (a probability), bursts (losses of 200 ms every 5 s) and cut (seconds in which nothing gets through).
export async function play(page, consumer, sound, phase) {
	const link = page.relays.recv;
	const { seconds, kbps = 0, loss = 0, bursts = false, cut = 0 } = phase;
	Object.assign(link.down, { kbps, loss });
	link.down.cut(cut * 1000);
	const calm = bursts ? burst(link.down) : () => {};
	await page.call('longestGap', consumer.id);
	const samples = [await sample(page, consumer, sound, link)];
	const [first] = samples;
	while (samples.at(-1).at < first.at + seconds * 1000) {
		await sleep(Math.min(SAMPLE_MS, first.at + seconds * 1000 - performance.now()));
		samples.push(await sample(page, consumer, sound, link));
	}
	calm();
	const longest = await page.call('longestGap', consumer.id);
	const [{ availableOutgoingBitrate }] = await page.recv.getStats();
	return { phase, ...summary(samples), longest: longest / 1000, estimate: availableOutgoingBitrate / 1000 };
}

// summary compares the first sample with the last one, and for what takes time to settle the one in the middle.
function summary(samples) {
	const [first, middle, last] = [samples[0], samples[samples.length >> 1], samples.at(-1)];
	const kbps = (from, to) => (to.bytes - from.bytes) * 8 / (to.at - from.at);
	const [carried, dropped] = [last.carried - first.carried, last.dropped - first.dropped];
	const reached = samples.findLastIndex(({ height }) => height !== last.height) + 1;
	return {
		media: kbps(first, last), settled: kbps(middle, last),
		frames: (last.frames - middle.frames) * 1000 / (last.at - middle.at),
		freezes: last.freezes - first.freezes, frozen: last.frozen - first.frozen,
		dropped: 100 * dropped / Math.max(carried + dropped, 1), queue: (last.waited - first.waited) / Math.max(carried, 1),
		height: last.height, changes: samples.filter(({ height }, i) => i > 0 && height !== samples[i - 1].height).length,
		reached: reached && (samples[reached].at - first.at) / 1000,
		nacks: last.nacks - first.nacks, plis: last.plis - first.plis,
		concealed: last.samples && 100 * (last.concealed - first.concealed) / Math.max(last.samples - first.samples, 1),
	};
}

// when says after how many seconds the size came, and how often it changed if that was not once.
function when({ reached, changes }) {
	const times = changes === 1 ? '' : `, ${changes} changes`;
	return reached ? ` (${reached.toFixed(1)} s${times})` : '';
}

const COLUMNS = [
	'phase', 'media kbit/s: all, second half', 'estimate', 'freezes (s), longest', 'dropped', 'mean queue', 'frames/s, size (after)', 'NACKs, PLIs',
	'sound concealed',
];

// table returns the results of a plan as Markdown.
export function table(results) {
	const row = cells => `| ${cells.join(' | ')} |`;
	return [row(COLUMNS), row(COLUMNS.map(() => '---')), ...results.map(r => row([
		r.phase.name, `${r.media.toFixed()}, ${r.settled.toFixed()}`, r.estimate.toFixed(), `${r.freezes} (${r.frozen.toFixed(1)}), ${r.longest.toFixed(1)}`,
		`${r.dropped.toFixed(1)} %`, `${r.queue.toFixed()} ms`, `${r.frames.toFixed(1)}, ${r.height}p${when(r)}`,
		`${r.nacks}, ${r.plis}`, r.concealed === undefined ? '–' : `${r.concealed.toFixed(1)} %`,
	]))].join('\n');
}
