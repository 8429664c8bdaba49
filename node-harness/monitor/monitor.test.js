// The monitor's page in Chromium, while nine people meet over three nodes: one of them in Chromium, too. What the page shows is compared
// with what the application is told, 1,000 more rooms come, and a node is killed. Screenshots are in build/monitor.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { Chromium } from '../browser/lib/chromium.js';
import { Participant } from '../browser/lib/participant.js';
import { createCertificates } from '../lib/nodes.js';
import { guard } from '../lib/processes.js';
import { until, within } from '../lib/wait.js';
import { Conference } from './conference.js';

const OUT = path.join(import.meta.dirname, '..', '..', 'build', 'monitor');
const TLS = path.join(OUT, 'tls');
const TOKEN = 'a token of more than sixteen characters';
const NAMES = ['Ann', 'Bob', 'Cem', 'Dan', 'Eve', 'Fay', 'Guy', 'Hal'];
const ROOMS = 1000;
const AT_ONCE = 20;
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const LISTEN = { listenInfos: [{ protocol: 'udp', ip: '0.0.0.0' }] };
const CAMERA = { type: 'painted', width: 640, height: 360, frameRate: 10, color: '#00a060' };
const SIMULCAST = [
	{ rid: 'r0', scaleResolutionDownBy: 4, maxBitrate: 80_000 }, { rid: 'r1', scaleResolutionDownBy: 2, maxBitrate: 250_000 },
	{ rid: 'r2', scaleResolutionDownBy: 1, maxBitrate: 700_000 },
];

let conference;
let chromium;
let guest; // in Chromium
let monitor; // its process
let page; // the monitor's

before(async () => {
	fs.rmSync(OUT, { recursive: true, force: true });
	fs.mkdirSync(OUT, { recursive: true });
	createCertificates(TLS, ['a', 'b', 'c']);
	conference = await Conference.open({ tls: TLS, folder: OUT, names: NAMES });
	chromium = await Chromium.open();
	await enter();
	await openMonitor();
});

after(async () => {
	await guest?.leave();
	await chromium?.close();
	monitor?.kill('SIGTERM');
	await conference?.close();
});

// enter has the ninth person join with Chromium: it sends a picture, hears all and sees three; all see it.
async function enter() {
	guest = await Participant.join(chromium, conference.router, { transportOptions: LISTEN });
	const camera = await guest.produce({ source: CAMERA, mimeType: 'video/VP8', encodings: SIMULCAST });
	guest.consumers = [];
	for (const [i, person] of conference.people.entries()) {
		guest.consumers.push(await guest.consume(person.microphone));
		if (i < 3) {
			guest.consumers.push(await guest.consume(person.camera));
		}
		await person.consume('the guest', camera);
	}
}

async function openMonitor() {
	fs.writeFileSync(path.join(OUT, 'token'), `${TOKEN}\n`, { mode: 0o600 });
	const log = fs.openSync(path.join(OUT, 'monitor.log'), 'w');
	monitor = guard(spawn(process.env.GAZPACHO, [
		'monitor', '--cluster', conference.nodes.map(({ address }) => address).join(','), '--tls-dir', TLS, '--listen', '127.0.0.1:0',
		'--token-file', path.join(OUT, 'token'),
	], { stdio: ['ignore', 'pipe', log] }));
	const line = await within('the monitor is ready', new Promise(resolve => monitor.stdout.once('data', resolve)));
	const url = /at (\S+)/.exec(String(line))[1];
	page = await chromium.browser.newPage({ viewport: DESKTOP, colorScheme: 'light' });
	page.problems = [];
	page.on('console', message => ['error', 'warning'].includes(message.type()) && !/\b401\b/.test(message.text()) && page.problems.push(message.text()));
	page.on('pageerror', error => page.problems.push(String(error)));
	await page.goto(url);
	await page.getByLabel('Token').fill('not the token, but long enough');
	await page.getByRole('button', { name: 'Look' }).click();
	await page.getByText('This is not the token.').waitFor();
	page.problems = []; // the browser mentions that it was refused
	await page.getByLabel('Token').fill(TOKEN);
	await page.getByRole('button', { name: 'Look' }).click();
}

// show goes to a view and resolves when it is there.
async function show(address, heading) {
	await page.evaluate(to => (location.hash = to), address);
	await page.getByRole('heading', { level: 1, name: heading }).waitFor();
}

// tile returns what a tile shows.
const tile = name => page.evaluate(wanted => {
	const element = [...document.querySelectorAll('.tile')].find(({ firstChild }) => firstChild.textContent === wanted);
	return element?.querySelector('dd').firstChild.textContent;
}, name);

// shows resolves when a tile shows something.
const shows = (name, value) => until(`${name} is ${value}`, async () => await tile(name) === value);

async function picture(name, { viewport = DESKTOP, colorScheme = 'light', fullPage = false } = {}) {
	await page.setViewportSize(viewport);
	await page.emulateMedia({ colorScheme });
	await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))));
	await page.screenshot({ path: path.join(OUT, `${name}.png`), fullPage });
	await page.setViewportSize(DESKTOP);
	await page.emulateMedia({ colorScheme: 'light' });
}

const hash = (...parts) => `#/${parts.map(encodeURIComponent).join('/')}`;
const roomPath = () => hash('room', 'demo', 'demo', conference.router.id);
const nodeOf = transport => conference.nodes.find(({ ip }) => ip === transport.iceCandidates[0].address);
const transportPath = (node, { id }) => hash('transport', node.name, 'demo', 'demo', conference.router.id, id);

test('the overview shows nodes, pipes and what there is', async () => {
	await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
	await shows('Nodes', '3 of 3');
	await shows('Rooms', '1');
	await shows('Transports', String(NAMES.length + 2));
	await until('all pipes are there', async () => (await page.locator('.graph .pipe').count()) === 3);
	assert.deepEqual((await page.locator('.graph .name').allTextContents()).sort(), ['a', 'b', 'c']);
	await page.getByRole('table', { name: 'Applications' }).getByRole('rowheader', { name: 'demo' }).waitFor();
	await page.getByRole('link', { name: /^a: alive/ }).click();
	await page.getByRole('heading', { level: 1, name: 'a', exact: true }).waitFor();
	await page.getByRole('table', { name: 'Shards' }).waitFor();
});

test('a room shows who sends and receives what, on which node', async () => {
	await show('#/rooms', 'Rooms');
	await page.getByRole('link', { name: conference.router.id }).click();
	await page.getByRole('heading', { level: 1, name: conference.router.id }).waitFor();
	const consumers = conference.people.flatMap(person => person.consumers).length + guest.consumers.length;
	await shows('Producers', String(2 * NAMES.length + 1));
	await shows('Consumers', String(consumers));
	for (const { camera } of conference.people) {
		await page.locator(`[data-key="${camera.id}"]`).first().waitFor();
	}
	await page.getByText('10 % of what is sent to the peer is lost').first().waitFor(); // by Hal
});

test('a transport has its story, and the numbers of the API', async () => {
	await show(transportPath(nodeOf(guest.recv), guest.recv), guest.recv.id);
	await shows('ICE', 'completed');
	await shows('DTLS', 'connected');
	await until('there is a history', async () => (await page.locator('.chart polyline').count()) > 0);
	const chart = page.getByRole('img', { name: /^To the peer, the last ten minutes/ });
	await chart.focus();
	await page.keyboard.press('ArrowLeft');
	await until('the keyboard moves the cursor', async () => /\d\d:\d\d:\d\d/.test(await page.locator('figure', { has: chart }).locator('.when').textContent()));

	conference.people.forEach(person => person.stop());
	for (const consumer of guest.consumers) {
		await until(`the bytes of ${consumer.id} are those of getStats()`, async () => {
			const [{ byteCount }] = await consumer.getStats();
			return await page.locator(`[data-bytes="${consumer.id}"]`).textContent() === byteCount.toLocaleString('en');
		});
	}
	const { consumerIds } = await guest.recv.dump();
	const shown = await page.locator('[data-bytes]').evaluateAll(cells => cells.map(({ dataset }) => dataset.bytes));
	assert.deepEqual(shown.sort(), consumerIds.sort());
	await until('getStats() of the transport has what the page shows', async () => {
		const [{ rtpBytesSent }] = await guest.recv.getStats();
		return await page.locator('[data-stat="rtpBytesSent"]').textContent() === rtpBytesSent.toLocaleString('en');
	});
	const [ann] = conference.people;
	await show(transportPath(conference.nodeOf(ann), ann.transport), ann.transport.id);
	for (const { ssrc, byteCount } of await ann.camera.getStats()) {
		await until('the bytes of each encoding', async () =>
			await page.locator(`[data-bytes="${ann.camera.id} ${ssrc}"]`).textContent() === byteCount.toLocaleString('en'));
	}
	await page.getByText('Nothing comes from the peer any more.').first().waitFor();
	conference.people.forEach(person => person.start());
	await until('all is well again', async () => await page.getByText('Nothing comes from the peer any more.').count() === 0);
});

// timed returns how long it takes from an action until the page shows a text, in milliseconds: what is to be clicked or typed into, what
// is typed, and which element shows what then.
const timed = action => page.evaluate(async ({ target, text, shows, begins }) => {
	const element = document.querySelector(target);
	const begin = performance.now();
	if (text === undefined) {
		element.click();
	} else {
		element.value = text;
		element.dispatchEvent(new InputEvent('input', { bubbles: true }));
	}
	while (!document.querySelector(shows)?.textContent.startsWith(begins)) {
		await new Promise(resolve => requestAnimationFrame(resolve));
	}
	return performance.now() - begin;
}, action);

test('1,000 rooms do not slow the page', async () => {
	const created = [];
	while (created.length < ROOMS) {
		created.push(...await Promise.all(Array.from({ length: AT_ONCE }, async () => {
			const router = await conference.worker.createRouter({ mediaCodecs: [] });
			await router.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '0.0.0.0' } });
			return router;
		})));
	}
	await show('#/rooms', 'Rooms');
	const status = '.search [role=status]';
	await until('all rooms are there', async () => (await page.locator(status).textContent()).startsWith('1,001 rooms'));
	const ids = [conference.router, ...created].map(({ id }) => id).sort();
	const first = 'tbody tr th';
	const times = {
		sort: await timed({ target: 'thead th:first-child button', shows: first, begins: ids.at(-1) }),
		'sort the other way': await timed({ target: 'thead th:first-child button', shows: first, begins: ids[0] }),
		'next page': await timed({ target: '.pages button:last-child', shows: first, begins: ids[50] }),
		search: await timed({ target: '#text', text: conference.router.id, shows: status, begins: '1 of 1,001' }),
	};
	times['open the room'] = await timed({ target: `${first} a`, shows: '.tile', begins: 'Nodes' });
	console.log(`with ${ROOMS} rooms, from an action to what it shows: ${Object.entries(times).map(([what, ms]) => `${what} ${ms.toFixed(0)} ms`).join(', ')}`);
	await Promise.all(created.map(router => router.close()));
});

test('it looks as it should', async () => {
	await show('#/', 'Overview');
	await shows('Rooms', '1');
	await shows('Transports', String(NAMES.length + 2));
	await picture('overview-light', { fullPage: true });
	await picture('overview-dark', { colorScheme: 'dark' });
	await picture('overview-phone', { viewport: PHONE });
	await show(roomPath(), conference.router.id);
	await shows('Nodes', 'a');
	await picture('room-light');
	await picture('room-dark', { colorScheme: 'dark' });
	await picture('room-phone', { viewport: PHONE, colorScheme: 'dark' });
	const hal = conference.people.at(-1);
	await show(transportPath(conference.nodeOf(hal), hal.transport), hal.transport.id);
	await picture('transport-light');
	await picture('transport-phone', { viewport: PHONE });
	await show(transportPath(nodeOf(guest.recv), guest.recv), guest.recv.id);
	await picture('transport-dark', { colorScheme: 'dark' });
	const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
	assert.equal(wide, 0, 'nothing is wider than the page');
});

test('a node that is killed is shown as that, and the room goes on', async () => {
	const victim = conference.nodes.find(node => ![guest.recv, guest.send].some(transport => nodeOf(transport) === node));
	await show('#/', 'Overview');
	await conference.kill(victim);
	await shows('Nodes', '2 of 3');
	await page.getByRole('row', { name: new RegExp(`^${victim.name} unreachable`) }).waitFor();
	await page.getByRole('link', { name: new RegExp(`^${victim.name}: `) }).waitFor();
	await picture('overview-killed');
	await show(roomPath(), conference.router.id);
	const left = conference.people.filter(person => conference.nodeOf(person) !== victim).length;
	await shows('Transports', String(left + 2));
	await until('the node is not one of the room’s', async () => !(await page.locator('.tile').first().textContent()).includes(victim.name));
});

test('the page has kept to its policy', () => {
	assert.deepEqual(page.problems, []);
});
