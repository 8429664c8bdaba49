// What every test file needs: one browser per file, and for each test a fresh worker and router, closed after it.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach } from 'node:test';
import * as mediasoup from 'mediasoup';
import { closeWorker } from '../../lib/fixture.js';
import { until } from './wait.js';
import { Chromium } from './chromium.js';
import { Participant } from './participant.js';

const video = (mimeType, parameters = {}) => ({ kind: 'video', mimeType, clockRate: 90000, parameters });

export const MEDIA_CODECS = [
	{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
	video('video/VP8'),
	video('video/VP9', { 'profile-id': 0 }),
	video('video/AV1'),
	video('video/H264', { 'level-asymmetry-allowed': 1, 'packetization-mode': 1, 'profile-level-id': '42e01f' }),
];

export const MICROPHONE = { type: 'microphone' };
export const CAMERA = { type: 'camera', width: 640, height: 360, frameRate: 20 };
export const painted = (color, size = {}) => ({ type: 'painted', width: 320, height: 180, frameRate: 15, color, ...size });

// useBrowser returns an object that is filled before each test: worker, router, and join, which adds a participant.
export function useBrowser({ fieldTrials } = {}) {
	const ctx = { participants: [] };
	before(async () => {
		ctx.chromium = await Chromium.open({ fieldTrials });
	});
	after(() => ctx.chromium?.close());
	beforeEach(async () => {
		ctx.participants = [];
		ctx.worker = await mediasoup.createWorker({ logLevel: 'warn' });
		ctx.router = await ctx.worker.createRouter({ mediaCodecs: MEDIA_CODECS });
	});
	afterEach(async () => {
		await Promise.all(ctx.participants.map(participant => participant.leave()));
		await closeWorker(ctx.worker);
	});
	ctx.join = async options => {
		const participant = await Participant.join(ctx.chromium, ctx.router, options);
		ctx.participants.push(participant);
		return participant;
	};
	return ctx;
}

// isClose compares colours with a tolerance for lossy codecs.
export const isClose = (color, wanted) => color.every((value, i) => Math.abs(value - wanted[i]) < 48);

// isHealthy checks the browser's statistics of received video against what a network without loss should give. It does not
// check how many frames are shown in time, which depends on the load of the machine.
export function isHealthy({ packetsReceived, packetsLost, nackCount, retransmittedPacketsReceived, pliCount, framesDecoded, freezeCount }) {
	const all = JSON.stringify({ packetsReceived, packetsLost, nackCount, retransmittedPacketsReceived, pliCount, framesDecoded, freezeCount });
	assert.equal(packetsLost, 0, `packets lost: ${all}`);
	assert.equal(nackCount, 0, `NACKs: ${all}`);
	assert.ok(pliCount <= 1, `PLIs: ${all}`);
}

// isInSync waits until audio and video of one sender are played in sync: from sender reports, the browser computes the NTP
// time at which what it plays now was captured.
export const isInSync = (participant, sound, picture) => until('sound and picture are in sync', async () => {
	const [audio, video] = [await participant.stats(sound), await participant.stats(picture)];
	const [a, v] = [audio?.estimatedPlayoutTimestamp, video?.estimatedPlayoutTimestamp];
	return a && v && Math.abs((a - audio.timestamp) - (v - video.timestamp)) < 100;
});
