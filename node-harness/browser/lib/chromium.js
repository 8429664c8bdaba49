// A real browser: Chromium with fake devices, and pages that are one end of a call each.
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as path from 'node:path';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const folder = path.join(import.meta.dirname, '..', 'page');
const ARGUMENTS = [
	'--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required',
	'--allow-loopback-in-peer-connection', '--disable-gpu', '--no-first-run', '--disable-background-networking',
	'--disable-component-update', '--disable-sync',
];

// servePage serves the page and its script on loopback: over HTTP, a browser allows access to devices only on localhost.
async function servePage() {
	const { outputFiles } = await build({
		entryPoints: [path.join(folder, 'peer.js')], bundle: true, format: 'iife', write: false, logLevel: 'error',
	});
	const files = {
		'/': { type: 'text/html', body: fs.readFileSync(path.join(folder, 'index.html')) },
		'/peer.js': { type: 'text/javascript', body: outputFiles[0].contents },
	};
	const server = http.createServer((request, response) => {
		const file = files[request.url];
		response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain' }).end(file?.body);
	});
	await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
	return server;
}

export class Chromium {
	// open starts a browser with its own profile. fieldTrials are those of its WebRTC.
	static async open({ fieldTrials = '' } = {}) {
		const self = new Chromium();
		self.server = await servePage();
		self.browser = await chromium.launch({
			executablePath: process.env.CHROMIUM_BIN ?? '/usr/bin/chromium',
			chromiumSandbox: false,
			args: [...ARGUMENTS, ...(fieldTrials ? [`--force-fieldtrials=${fieldTrials}`] : [])],
		});
		return self;
	}

	// page opens a page; signal(method, data) answers the page's requests to the server.
	async page(signal) {
		const page = await this.browser.newPage({ viewport: { width: 1280, height: 720 } });
		page.log = [];
		page.on('console', message => page.log.push(message.text()));
		page.on('pageerror', error => page.log.push(String(error)));
		await page.exposeFunction('signal', signal);
		await page.goto(`http://localhost:${this.server.address().port}/`);
		await page.waitForFunction(() => Boolean(window.peer));
		return page;
	}

	async close() {
		await this.browser?.close();
		this.server.closeAllConnections();
		await new Promise(resolve => this.server.close(resolve));
	}
}
