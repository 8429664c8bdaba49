// What this person sends. It outlives calls: after a lost connection, the next call gets the same tracks.
import { devices } from './devices.js';

export class Local {
	tracks = {}; // by source
	muted = false;
	quality = 720;
	#call;
	#last = Promise.resolve();

	// onChange is called when there is something new to show, onTrouble(source, error) when a device cannot be had.
	constructor({ onChange, onTrouble }) {
		Object.assign(this, { onChange, onTrouble });
	}

	// attach sends what there is by a new call.
	async attach(call) {
		this.#call = call;
		for (const source of Object.keys(this.tracks)) {
			await this.#publish(source);
		}
	}

	detach() {
		this.#call = undefined;
	}

	// toggle turns a source on or off. Clicks that come faster than devices open wait for each other.
	toggle(source) {
		this.#last = this.#last.then(() => this.#toggle(source)).catch(error => this.onTrouble(source, error)).then(() => this.onChange());
		return this.#last;
	}

	async #toggle(source) {
		if (!this.tracks[source]) {
			await this.#open(source);
		} else if (source === 'microphone') {
			this.muted = !this.muted;
			this.tracks.microphone.enabled = !this.muted;
			await this.#call?.setMuted(source, this.muted);
		} else {
			await this.#close(source);
		}
	}

	async #open(source) {
		const track = await devices[source](this.quality);
		this.tracks[source] = track;
		// The browser's own "stop sharing", or a camera that is unplugged.
		track.addEventListener('ended', () => this.tracks[source] === track && this.toggle(source));
		if (source === 'microphone') {
			this.muted = false;
		}
		await this.#publish(source);
	}

	async #publish(source) {
		const [call, track] = [this.#call, this.tracks[source]];
		if (!call || !track) {
			return;
		}
		await call.publish(source, track);
		if (this.tracks[source] !== track) { // turned off meanwhile
			await call.unpublish(source);
		} else if (source === 'microphone' && this.muted) {
			await call.setMuted(source, true);
		}
	}

	async #close(source) {
		this.tracks[source].stop(); // so that the camera's light goes off
		delete this.tracks[source];
		await this.#call?.unpublish(source);
	}

	// setQuality opens a camera that is on anew, with another size.
	async setQuality(quality) {
		this.quality = quality;
		if (this.tracks.camera) {
			await this.toggle('camera');
			await this.toggle('camera');
		}
	}

	stopAll() {
		Object.values(this.tracks).forEach(track => track.stop());
		this.tracks = {};
	}
}
