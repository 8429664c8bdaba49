// The monitor's page in Chromium, while nine people meet in the demo's conference over three nodes: eight WebRTC peers of pion, of which one
// loses packets, and Ann with the conference's page in Chromium, too. What the monitor shows is compared with what the application is told,
// 1,000 more rooms come, and a node is killed. Screenshots are in build/monitor.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, before, test } from 'node:test';
import { Chromium } from '../browser/lib/chromium.js';
import { Visitor } from '../browser/lib/visitor.js';
import { inviteGuests } from '../conference/guests.js';
import { startNodes } from '../conference/local-nodes.js';
import { startConference } from '../conference/server/conference.js';
import { settings } from '../conference/server/settings.js';
import { killNode, nodeStatus } from '../lib/nodes.js';
import { guard } from '../lib/processes.js';
import { PATIENCE_MS, until, within } from '../lib/wait.js';

const OUT = path.join(import.meta.dirname, '..', '..', 'build', 'monitor');
const TOKEN = 'a token of more than sixteen characters';
const GUESTS = 8;
const PEOPLE = GUESTS + 1;
const LOST = /\d+ % of what is sent to the peer is lost/;
const SOME_MS = 500; // between two looks at all that there is
const LONG_MS = 4 * PATIENCE_MS; // all guests draw their pictures before they come
const ROOMS = 1000;
const AT_ONCE = 20;
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

let nodes = [];
let conference;
let guests; // their process
let chromium;
let ann; // the ninth, with a page
let monitor; // its process
let page; // the monitor's

before(async () => {
	fs.rmSync(OUT, { recursive: true, force: true });
	fs.mkdirSync(OUT, { recursive: true });
	nodes = await startNodes(Object.assign(process.env, { NODES: '3' }));
	conference = await startConference(settings({ ...process.env, LISTEN: '127.0.0.1:0' }));
	await until('the nodes serve the application', async () =>
		(await nodeStatus(nodes, process.env.GAZPACHO_TLS_DIR)).every(({ fronts }) => fronts.some(({ connected }) => connected)));
	const url = `${conference.url}demo`;
	guests = inviteGuests(url, String(GUESTS), { ...process.env, GUEST_LOSS: '0.1' });
	chromium = await Chromium.open();
	ann = await Visitor.join({ browser: chromium.browser, url, name: 'Ann' });
	await meet();
	await openMonitor();
});

after(async () => {
	guests?.kill();
	await chromium?.close();
	monitor?.kill('SIGTERM');
	await conference?.close();
	nodes.forEach(({ child }) => child.kill('SIGKILL'));
});

// people are all who are in the room, as the application knows them, with Ann, a guest that has a camera, and one that loses packets.
function people() {
	const all = [...conference.rooms.find('demo').peers.values()];
	const consumers = all.flatMap(person => [...person.consumers.values()]);
	const producers = all.flatMap(person => [...person.producers.values()]);
	const named = wanted => all.find(({ name }) => name === wanted);
	return { all, consumers, producers, ann: named('Ann'), ada: named('Ada Lovelace'), lossy: named('Ken Thompson') };
}

// meet resolves when everybody is there, and everybody hears and sees all others.
function meet() {
	return until('all hear and see all', async () => {
		const { all, consumers, producers } = people();
		return all.length === PEOPLE && consumers.length === producers.length * (PEOPLE - 1) && await getsAll(consumers);
	}, { interval: SOME_MS, timeout: LONG_MS });
}

async function getsAll(consumers) {
	const stats = await Promise.all(consumers.map(consumer => consumer.getStats().catch(() => []))); // somebody may leave meanwhile
	return stats.every(([first]) => first?.byteCount > 0);
}

async function openMonitor() {
	fs.writeFileSync(path.join(OUT, 'token'), `${TOKEN}\n`, { mode: 0o600 });
	const log = fs.openSync(path.join(OUT, 'monitor.log'), 'w');
	monitor = guard(spawn(process.env.GAZPACHO, [
		'monitor', '--cluster', nodes.map(({ address }) => address).join(','), '--tls-dir', process.env.GAZPACHO_TLS_DIR, '--listen', '127.0.0.1:0',
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
async function shows(name, value) {
	let shown;
	const isShown = async () => (shown = await tile(name)) === value;
	await until(`${name} is ${value}`, isShown).catch(error => assert.fail(`${error.message}, but ${shown}`));
}

async function picture(name, { viewport = DESKTOP, colorScheme = 'light', fullPage = false } = {}) {
	await page.setViewportSize(viewport);
	await page.emulateMedia({ colorScheme });
	await page.evaluate(() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve))));
	await page.screenshot({ path: path.join(OUT, `${name}.png`), fullPage });
	await page.setViewportSize(DESKTOP);
	await page.emulateMedia({ colorScheme: 'light' });
}

const hash = (...parts) => `#/${parts.map(encodeURIComponent).join('/')}`;
const router = () => conference.rooms.find('demo').router;
const nodeOf = transport => nodes.find(({ ip }) => ip === transport.iceCandidates[0].address);
const transportPath = transport => hash('transport', nodeOf(transport).name, 'demo', 'demo', router().id, transport.id);
const showRoom = () => show(hash('room', 'demo', 'demo', router().id), router().id);
const showTransport = transport => show(transportPath(transport), transport.id);

test('the overview shows nodes, pipes and what there is', async () => {
	await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
	await shows('Nodes', '3 of 3');
	await shows('Rooms', '1');
	await shows('Transports', String(2 * PEOPLE));
	await until('all pipes are there', async () => (await page.locator('.graph .pipe').count()) === 3);
	assert.deepEqual((await page.locator('.graph .name').allTextContents()).sort(), ['a', 'b', 'c']);
	await page.getByRole('table', { name: 'Applications' }).getByRole('rowheader', { name: 'demo' }).waitFor();
	await page.getByRole('link', { name: /^a: alive/ }).click();
	await page.getByRole('heading', { level: 1, name: 'a', exact: true }).waitFor();
	await page.getByRole('table', { name: 'Shards' }).waitFor();
});

test('a room shows who sends and receives what, on which node', async () => {
	await show('#/rooms', 'Rooms');
	await page.getByRole('link', { name: router().id }).click();
	await page.getByRole('heading', { level: 1, name: router().id }).waitFor();
	const { consumers, producers } = people();
	await shows('Producers', String(producers.length));
	await shows('Consumers', String(consumers.length));
	for (const { id } of producers) {
		await page.locator(`[data-key="${id}"]`).first().waitFor();
	}
	await page.getByText(LOST).first().waitFor();
});

test('a picture that stands still is explained, for somebody who loses packets', async () => {
	const { lossy } = people();
	await showTransport(lossy.recv);
	await shows('ICE', 'completed');
	await shows('DTLS', 'connected');
	await page.getByText(LOST).first().waitFor();
});

test('a transport has its story, and the numbers of the API', async () => {
	const { ann: { recv, consumers }, ada } = people();
	await showTransport(recv);
	await shows('ICE', 'completed');
	await shows('DTLS', 'connected');
	await until('there is a history', async () => (await page.locator('.chart polyline').count()) > 0);
	const chart = page.getByRole('img', { name: /^To the peer, the last ten minutes/ });
	await chart.focus();
	await page.keyboard.press('ArrowLeft');
	await until('the keyboard moves the cursor', async () => /\d\d:\d\d:\d\d/.test(await page.locator('figure', { has: chart }).locator('.when').textContent()));

	guests.kill('SIGUSR1'); // they stand still
	for (const consumer of consumers.values()) {
		await until(`the bytes of ${consumer.id} are those of getStats()`, async () => {
			const [{ byteCount }] = await consumer.getStats();
			return await page.locator(`[data-bytes="${consumer.id}"]`).textContent() === byteCount.toLocaleString('en');
		});
	}
	const { consumerIds } = await recv.dump();
	const shown = await page.locator('[data-bytes]').evaluateAll(cells => cells.map(({ dataset }) => dataset.bytes));
	assert.deepEqual(shown.sort(), consumerIds.sort());
	await until('getStats() of the transport has what the page shows', async () => {
		const [{ rtpBytesSent }] = await recv.getStats();
		return await page.locator('[data-stat="rtpBytesSent"]').textContent() === rtpBytesSent.toLocaleString('en');
	});
	const camera = ada.producers.get('camera');
	await showTransport(ada.send);
	for (const { ssrc, byteCount } of await camera.getStats()) {
		await until('the bytes of each encoding', async () =>
			await page.locator(`[data-bytes="${camera.id} ${ssrc}"]`).textContent() === byteCount.toLocaleString('en'));
	}
	await page.getByText('Nothing comes from the peer any more.').first().waitFor();
	guests.kill('SIGUSR2'); // they go on
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

// reportTimes prints how long the page takes with a long list of rooms.
async function reportTimes(when, ids) {
	await show('#/', 'Overview');
	await show('#/rooms', 'Rooms');
	const status = '.search [role=status]';
	await until('all rooms are there', async () => (await page.locator(status).textContent()).startsWith('1,001 rooms'));
	const first = 'tbody tr th';
	const times = {
		sort: await timed({ target: 'thead th:first-child button', shows: first, begins: ids.at(-1) }),
		'sort the other way': await timed({ target: 'thead th:first-child button', shows: first, begins: ids[0] }),
		'next page': await timed({ target: '.pages button:last-child', shows: first, begins: ids[50] }),
		search: await timed({ target: '#text', text: router().id, shows: status, begins: '1 of 1,001' }),
	};
	times['open the room'] = await timed({ target: `${first} a`, shows: '.tile', begins: 'Nodes' });
	const list = Object.entries(times).map(([what, ms]) => `${what} ${ms.toFixed(0)} ms`).join(', ');
	console.log(`with ${ROOMS} rooms, ${when}, from an action to what it shows: ${list}`);
}

test('1,000 rooms do not slow the page', async () => {
	const created = [];
	while (created.length < ROOMS) {
		created.push(...await Promise.all(Array.from({ length: AT_ONCE }, async () => {
			const other = await conference.worker.createRouter({ mediaCodecs: [] });
			await other.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '0.0.0.0' } });
			return other;
		})));
	}
	const ids = [router(), ...created].map(({ id }) => id).sort();
	await reportTimes('while nine people meet', ids);
	guests.kill('SIGUSR1'); // what remains is the page's own time: their pictures take most of a small machine
	await reportTimes('while they stand still', ids);
	guests.kill('SIGUSR2');
	await Promise.all(created.map(other => other.close()));
});

test('it looks as it should', async () => {
	await show('#/', 'Overview');
	await shows('Rooms', '1');
	await shows('Transports', String(2 * PEOPLE));
	await picture('overview-light', { fullPage: true });
	await picture('overview-dark', { colorScheme: 'dark' });
	await picture('overview-phone', { viewport: PHONE });
	await showRoom();
	await shows('Nodes', 'a');
	await picture('room-light');
	await picture('room-dark', { colorScheme: 'dark' });
	await picture('room-phone', { viewport: PHONE, colorScheme: 'dark' });
	const { ann: { recv }, lossy } = people();
	await showTransport(lossy.recv);
	await picture('transport-light');
	await picture('transport-phone', { viewport: PHONE });
	await showTransport(recv);
	await picture('transport-dark', { colorScheme: 'dark' });
	const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
	assert.equal(wide, 0, 'nothing is wider than the page');
});

test('a node that is killed is shown as that, and the room goes on', async () => {
	const { ann: { send, recv }, all } = people();
	const victim = nodes.find(node => ![send, recv].some(transport => nodeOf(transport) === node));
	assert.ok(all.some(person => nodeOf(person.send) === victim || nodeOf(person.recv) === victim), 'somebody is on the node');
	await show('#/', 'Overview');
	await killNode(victim);
	await shows('Nodes', '2 of 3');
	await page.getByRole('row', { name: new RegExp(`^${victim.name} unreachable`) }).waitFor();
	await page.getByRole('link', { name: new RegExp(`^${victim.name}: `) }).waitFor();
	await meet();
	await picture('overview-killed');
	await showRoom();
	await shows('Transports', String(2 * PEOPLE));
	await until('the node is not one of the room’s', async () => !(await page.locator('.tile').first().textContent()).includes(victim.name));
	await picture('room-killed');
});

test('guests end with who invited them, and leave the room', async () => {
	const ended = once(guests, 'exit');
	guests.stdin.end();
	assert.deepEqual(await within('their end', ended), [0, null]);
	await showRoom();
	await shows('Transports', '2');
	assert.deepEqual(ann.errors, []);
});

test('the page has kept to its policy', () => {
	assert.deepEqual(page.problems, []);
});
