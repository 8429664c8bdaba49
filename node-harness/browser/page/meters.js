// Measurements of received media that getStats does not have.
let audioContext;

export const meters = {
	// color returns [red, green, blue] in the middle of the picture of a video element.
	color(video) {
		const canvas = document.createElement('canvas');
		canvas.width = canvas.height = 1;
		const context = canvas.getContext('2d');
		context.drawImage(video, video.videoWidth / 2, video.videoHeight / 2, 1, 1, 0, 0, 1, 1);
		return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
	},

	// loudness resolves with the highest sample, 0 to 1, of a short piece of an audio track.
	async loudness(track) {
		audioContext ??= new AudioContext();
		await audioContext.resume();
		const analyser = audioContext.createAnalyser();
		analyser.fftSize = 32768;
		const source = audioContext.createMediaStreamSource(new MediaStream([track]));
		source.connect(analyser);
		const samples = new Float32Array(analyser.fftSize);
		const started = audioContext.currentTime;
		while (audioContext.currentTime - started < analyser.fftSize / audioContext.sampleRate) {
			await new Promise(resolve => requestAnimationFrame(resolve));
		}
		analyser.getFloatTimeDomainData(samples);
		source.disconnect();
		return samples.reduce((highest, sample) => Math.max(highest, Math.abs(sample)), 0);
	},

	// firstFrame resolves with the number of milliseconds until an element shows a picture.
	firstFrame(video) {
		const started = performance.now();
		return new Promise(resolve => video.requestVideoFrameCallback(() => resolve(performance.now() - started)));
	},

	// watchGaps measures how long the pictures of an element stand, and returns a function that tells the longest time, in
	// milliseconds, since it was called before, the present picture's too.
	watchGaps(video) {
		let [shownAt, longest] = [performance.now(), 0];
		const gap = () => Math.max(longest, performance.now() - shownAt);
		const shown = () => {
			[longest, shownAt] = [gap(), performance.now()];
			video.requestVideoFrameCallback(shown);
		};
		video.requestVideoFrameCallback(shown);
		return () => {
			const result = gap();
			[longest, shownAt] = [0, performance.now()];
			return result;
		};
	},

	bytes({ size, seed }) {
		const bytes = new Uint8Array(size);
		for (let i = 0; i < size; i++) {
			bytes[i] = (i * 31 + seed + (i >> 8)) & 0xff;
		}
		return bytes.buffer;
	},

	async hash(buffer) {
		const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', buffer));
		return [...digest.slice(0, 8)].map(byte => byte.toString(16).padStart(2, '0')).join('');
	},
};
