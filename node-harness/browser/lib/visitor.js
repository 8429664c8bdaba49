// Somebody who uses the conference's page in a tab, as people do: by its buttons and fields.
import { until } from './wait.js';

export class Visitor {
	// join opens a tab and enters a room. The small picture spares the machine.
	static async join({ browser, url, name }) {
		const self = new Visitor();
		self.name = name;
		self.page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
		self.errors = [];
		self.page.on('pageerror', error => self.errors.push(String(error)));
		await self.page.goto(url);
		await self.page.getByLabel('Camera picture').selectOption('360');
		await self.page.getByLabel('Your name').fill(name);
		await self.press('Join');
		await self.page.locator('#room[aria-busy=false]').waitFor();
		return self;
	}

	press(name) {
		return this.page.getByRole('button', { name, exact: true }).click();
	}

	tile(title) {
		return this.page.getByRole('listitem', { name: title, exact: true });
	}

	// sees waits until a tile shows so many more pictures than now.
	async sees(title, pictures = 20) {
		await this.tile(title).locator('video').waitFor();
		const shown = () => this.tile(title).locator('video').evaluate(video => video.getVideoPlaybackQuality().totalVideoFrames);
		const before = await shown();
		await until(`${this.name} sees ${title}`, async () => await shown() > before + pictures);
	}

	// reads waits until the panel at the side says something that matches.
	reads(pattern) {
		return until(`${this.name} reads ${pattern}`, async () => pattern.test(await this.page.locator('#side').innerText()));
	}

	// slide moves a slider by a key.
	async slide(label, key) {
		await this.page.getByRole('slider', { name: label }).press(key);
	}

	close() {
		return this.page.close();
	}
}
