// Microphone, camera and screen of this computer.
const QUALITY = { 720: { width: { ideal: 1280 }, height: { ideal: 720 } }, 360: { width: { ideal: 640 }, height: { ideal: 360 } } };

async function open(constraints) {
	const [track] = (await navigator.mediaDevices.getUserMedia(constraints)).getTracks();
	return track;
}

export const devices = {
	microphone: () => open({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } }),
	camera: quality => open({ video: { ...QUALITY[quality], frameRate: { ideal: 30 } } }),
	async screen() {
		const [track] = (await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } } })).getVideoTracks();
		track.contentHint = 'detail'; // text must stay sharp; it may move less smoothly
		return track;
	},
};

// explain says what a failure to open a device means.
export function explain(what, { name }) {
	switch (name) {
		case 'NotAllowedError':
			return `The browser was not allowed to use your ${what}.`;
		case 'NotFoundError':
			return `There is no ${what} on this computer.`;
		case 'NotReadableError':
			return `Your ${what} is used by another program.`;
		default:
			return `Your ${what} cannot be used (${name}).`;
	}
}
