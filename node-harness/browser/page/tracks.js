// Sources of audio and video: the browser's fake devices, and pictures that are drawn here.

// painted draws a picture of one colour with a moving part, so that no two frames are equal and encoders have work.
function painted({ width, height, frameRate, color }) {
	const canvas = document.createElement('canvas');
	canvas.width = width;
	canvas.height = height;
	const context = canvas.getContext('2d');
	let n = 0;
	setInterval(() => {
		n++;
		context.fillStyle = color;
		context.fillRect(0, 0, width, height);
		context.fillStyle = 'white';
		context.fillRect((n * 8) % width, height / 8, width / 16, height / 16);
		context.font = `${height / 8}px sans-serif`;
		context.fillText(String(n), width / 16, height * 7 / 8);
	}, 1000 / frameRate);
	return canvas.captureStream(frameRate).getVideoTracks()[0];
}

// busy draws a picture of which a part (share) is noise in every frame: an encoder uses any bitrate it gets, and key frames
// are not much larger than others.
function busy({ width, height, frameRate, share = 1 / 4 }) {
	const canvas = document.createElement('canvas');
	canvas.width = width;
	canvas.height = height;
	const context = canvas.getContext('2d');
	context.fillStyle = 'green';
	context.fillRect(0, 0, width, height);
	const image = context.createImageData(width, height * share);
	const pixels = new Uint32Array(image.data.buffer);
	let seed = 1;
	setInterval(() => {
		for (let i = 0; i < pixels.length; i++) {
			seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
			pixels[i] = 0xff000000 | (seed >>> 8);
		}
		context.putImageData(image, 0, 0);
	}, 1000 / frameRate);
	return canvas.captureStream(frameRate).getVideoTracks()[0];
}

export const tracks = {
	async open({ type, ...options }) {
		switch (type) {
			case 'microphone':
				return (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()[0];
			case 'camera':
				return (await navigator.mediaDevices.getUserMedia({ video: options })).getVideoTracks()[0];
			case 'painted':
				return painted(options);
			case 'busy':
				return busy(options);
			default:
				throw new Error(`no source called ${type}`);
		}
	},
};
