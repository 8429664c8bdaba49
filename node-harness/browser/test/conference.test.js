// The demo's conference, used by its page in Chromium.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Chromium } from '../lib/chromium.js';
import { Visitor } from '../lib/visitor.js';
import { until } from '../lib/wait.js';
import { inviteGuests } from '../../conference/guests.js';
import { startNodes } from '../../conference/local-nodes.js';
import { startConference } from '../../conference/server/conference.js';
import { settings } from '../../conference/server/settings.js';
import { killNode } from '../../lib/nodes.js';

const CLUSTER = ['GAZPACHO_CLUSTER', 'GAZPACHO_TLS_DIR', 'GAZPACHO_PLACEMENT', 'NODE_NAMES'];

let chromium;
let conference;
let visitors = [];
let nodes = [];

before(async () => {
	chromium = await Chromium.open();
});
after(() => chromium?.close());
afterEach(async () => {
	await Promise.all(visitors.map(visitor => visitor.close()));
	await conference.close();
	visitors.forEach(({ name, errors }) => assert.deepEqual(errors, [], name));
	visitors = [];
	nodes.forEach(({ child }) => child.kill('SIGKILL'));
	nodes = [];
	CLUSTER.forEach(name => delete process.env[name]);
});

const serve = port => startConference(settings({ ...process.env, LISTEN: `127.0.0.1:${port}` }));

async function join(...names) {
	for (const name of names) {
		visitors.push(await Visitor.join({ browser: chromium.browser, url: `${conference.url}test`, name }));
	}
	return visitors;
}

async function seeEachOther([ann, bob]) {
	await Promise.all([ann.sees('Bob'), bob.sees('Ann'), ann.sees('You')]);
}

// isEmpty waits until the server has nothing left of any room.
async function isEmpty() {
	await until('no rooms', () => conference.rooms.size === 0);
	await until('no routers', async () => (await conference.worker.dump()).routerIds.length === 0);
}

test('two tabs see and hear each other, and leave nothing behind', async () => {
	conference = await serve(0);
	const [ann, bob] = await join('Ann', 'Bob');
	await seeEachOther([ann, bob]);
	await ann.press('Figures of Bob');
	await ann.reads(/Microphone\s+[1-9]\d* kbit\/s/);

	await bob.press('Leave');
	await ann.page.getByText('only you').waitFor();
	await ann.page.locator('#side').waitFor({ state: 'hidden' });
	await ann.page.reload();
	await isEmpty();
});

test('the panel has figures, and its sliders choose the layers', async () => {
	conference = await serve(0);
	const [ann] = await join('Ann', 'Bob');
	await ann.press('Figures of Bob');
	await ann.reads(/of sizes 0 to 1, rates 0 to 2/);
	await ann.slide('Largest size', 'Home');
	await ann.reads(/Now size 0, frame rate 2\s[^]*320 × 180/);
	await ann.slide('Largest size', 'End');
	await ann.reads(/Now size 1, frame rate 2\s[^]*640 × 360/);
	await ann.slide('Highest frame rate', 'Home');
	await ann.reads(/Now size 1, frame rate 0/);
	assert.equal(await ann.page.getByLabel('Size as large as the tile needs').isChecked(), false);
	await ann.slide('Priority when not all fits', 'End');
	await ann.reads(/Priority when not all fits\s+255/);
	for (const figure of [/Bitrate\s+[1-9]/, /Estimate\s+[1-9]/, /Loss\s+\d+(\.\d)? %/, /Round trip\s+(< )?\d+ ms/, /Frames\s+\d+\/s/,
		/Camera\s+[1-9]\d* kbit\/s\s+\d+(\.\d)? %\s+\d/, /Camera, size 1\s+[1-9]\d* kbit\/s/]) {
		await ann.reads(figure);
	}
	await until('lines are drawn', () => ann.page.locator('.chart .line-0').evaluateAll(lines => lines.every(line => line.getAttribute('d').includes('L'))));

	await ann.press('Your figures');
	await ann.page.getByRole('heading', { name: 'Ann (you)' }).waitFor({ state: 'detached' }); // the button closes what is open
	await ann.press('Your figures');
	await ann.reads(/What your browser sends[^]*Camera, size 0\s+320 × 180/);
	await ann.reads(/What reaches the server[^]*Microphone\s+[1-9]\d* kbit\/s/);
});

test('what is written reaches the others, by a data channel', async () => {
	conference = await serve(0);
	const [ann, bob] = await join('Ann', 'Bob');
	await ann.page.keyboard.press('c');
	await until('Bob has unread messages', async () => {
		await ann.page.getByLabel('Message to everyone').fill('Hello <b>Bob</b>');
		await ann.page.keyboard.press('Enter');
		return bob.page.getByRole('button', { name: /^Chat, \d+ unread/ }).isVisible();
	}, { interval: 500 }); // what is written before his channel is open does not reach him
	await bob.page.keyboard.press('c');
	await bob.reads(/Ann[^]*Hello <b>Bob<\/b>/); // as text, whatever it looks like
	await bob.page.getByLabel('Message to everyone').fill('Hello Ann');
	await bob.press('Send');
	await ann.reads(/Bob[^]*Hello Ann/);
	await ann.page.keyboard.press('Escape');
	await ann.page.locator('#side').waitFor({ state: 'hidden' });
});

test('a microphone is muted, a camera turned off, a screen shared', async () => {
	conference = await serve(0);
	const [ann, bob] = await join('Ann', 'Bob');
	await seeEachOther([ann, bob]);
	await bob.page.keyboard.press('m');
	await ann.tile('Bob').getByText('muted').waitFor();
	await bob.press('Turn on microphone');
	await ann.tile('Bob').getByText('muted').waitFor({ state: 'hidden' });
	await bob.press('Turn off camera');
	await ann.tile('Bob').locator('video').waitFor({ state: 'hidden' });
	await bob.press('Turn on camera');
	await ann.sees('Bob');

	await bob.press('Share your screen');
	await ann.sees('Bob: screen', 5);
	await bob.press('Stop sharing your screen');
	await ann.tile('Bob: screen').waitFor({ state: 'detached' });
	await ann.sees('Bob');
});

test('guests fill the room', async () => {
	conference = await serve(0);
	const guests = inviteGuests(`${conference.url}test`, '3');
	const [ann] = await join('Ann');
	await ann.page.getByText('4 people').waitFor();
	await ann.sees('Ada Lovelace');
	await ann.sees('Grace Hopper');
	assert.equal(await ann.tile('Alan Turing').locator('video').isVisible(), false); // has no camera
	guests.stdin.end();
	await ann.page.getByText('only you').waitFor();
});

test('who leaves while the connection is lost is not brought back', async () => {
	conference = await serve(0);
	const [ann] = await join('Ann');
	const { port } = new URL(conference.url);
	await conference.close();
	await ann.page.getByText('Connection lost').waitFor();
	await ann.press('Leave');
	await ann.page.getByRole('button', { name: 'Join' }).waitFor();
	conference = await serve(port);
	await ann.press('Turn on camera');
	await ann.page.locator('#preview-tile video').waitFor();
	await ann.press('Join');
	await ann.page.getByText('only you').waitFor();
});

test('pages come back when the server has restarted', async () => {
	conference = await serve(0);
	const [ann, bob] = await join('Ann', 'Bob');
	await seeEachOther([ann, bob]);
	const { port } = new URL(conference.url);
	await conference.close();
	await ann.page.getByText('Connection lost').waitFor();
	conference = await serve(port);
	await Promise.all([ann, bob].map(({ page }) => page.getByText('Connection lost').waitFor({ state: 'hidden' })));
	await ann.page.getByText('2 people').waitFor();
	await seeEachOther([ann, bob]);
});

test('over three nodes: the page names them, and comes back when one is killed', async () => {
	nodes = await startNodes(Object.assign(process.env, { NODES: '3' }));
	delete process.env.NODES;
	conference = await serve(0);
	const [ann, bob] = await join('Ann', 'Bob');
	await seeEachOther([ann, bob]);
	await ann.press('Figures of Bob');
	await ann.reads(/Sends by node [abc], receives by node [abc]/i);
	const [, sends] = /by node ([abc])/.exec(await ann.page.locator('#side').innerText());
	await killNode(nodes.find(({ name }) => name === sends));
	await until('Bob is on other nodes', async () => {
		const [where] = await ann.tile('Bob').locator('.node').evaluateAll(nodes => nodes.map(({ title }) => title));
		return where && !where.includes(`node ${sends}`);
	});
	await Promise.all([ann, bob].map(({ page }) => page.getByText('2 people').waitFor()));
	await seeEachOther([ann, bob]);
});
