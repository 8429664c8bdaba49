// Runs the faults: run.js [--quick] [--seeds N] [--first N] [--update] [FAULT…]. For each fault and seed it starts a cluster with an
// application, lets the fault happen under load, and compares what the application was told and answered with a golden list.
// FAULTS_NETWORK=1 runs those that need network namespaces, and only those. It prints what cannot be compared: how long the sound was gone, and how long requests took.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { createCertificates } from '../lib/nodes.js';
import { PATIENCE_MS, until } from '../lib/wait.js';
import { FAULTS } from './faults.js';
import { Network } from './network.js';
import { NAMES, Scene } from './scene.js';

const OUT = path.join(import.meta.dirname, '..', '..', 'build', 'faults');
const GOLDEN = path.join(import.meta.dirname, 'golden');
const LOST_MS = 31_000 + PATIENCE_MS; // a silent node is given up after its lease
const MAX_DELAY_MS = 500; // before the fault
// A node counts a stream as silent, and shows other layers, when nothing has come for 1.5 s. A machine that is busier than this
// breaks things by itself, so the run is repeated.
const MAX_PAUSE_MS = 1000;
const TRIES = 5;
const IDLE = ['', 'When the application has ended:', '  every node that runs holds as many goroutines, descriptors, sockets and ports as when it was started'];

class BusyMachine extends Error {}

// generator returns numbers from 0 to 1 that follow from a seed (mulberry32).
function generator(seed) {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let x = Math.imul(state ^ (state >>> 15), state | 1);
		x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
		return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
	};
}

// happen starts a cluster, lets a fault happen, and returns the lines that the golden list is about, and notes that are only printed.
async function happen(fault, seed, folder, network) {
	const random = generator(seed);
	const scene = await Scene.open({ tls: path.join(OUT, 'tls'), folder, random, proxies: fault.proxies, network });
	const outcome = observe(scene, fault, random).finally(() => scene.end());
	await outcome.catch(() => {});
	if (scene.longestPause > MAX_PAUSE_MS) {
		throw new BusyMachine(`the machine was too busy to send for ${Math.round(scene.longestPause)} ms`);
	}
	return outcome;
}

async function observe(scene, fault, random) {
	await scene.record();
	await pause(random() * MAX_DELAY_MS);
	const begun = performance.now();
	await fault.strike(scene, random);
	const lines = [`# ${fault.about}`];
	const notes = [];
	if (fault.ends) {
		const ended = performance.now();
		await isIdle(scene);
		notes.push(`all nodes were idle ${seconds(performance.now() - ended)} later`);
		lines.push(...told(scene), ...sessions(scene));
	} else {
		const { load, heard } = await aftermath(scene, fault, begun);
		notes.push(`${load.total} requests, ${load.refused} refused, the slowest took ${load.slowest} ms`, ...heard.notes);
		lines.push(...told(scene), ...answered(scene, load), ...sessions(scene), ...heard.lines, ...(await objects(scene, fault)));
		await scene.application.call('close');
		await isIdle(scene);
	}
	lines.push(...IDLE);
	return { lines, notes };
}

// aftermath waits until everybody hears everybody again.
async function aftermath(scene, fault, begun) {
	if (fault.lost) {
		await scene.lost('Ann', LOST_MS);
	}
	const load = await scene.application.call('stopLoad');
	if (!fault.lost) {
		await scene.steady();
		return { load, heard: sound(scene, fault) };
	}
	const heard = sound(scene, fault);
	if (fault.back) {
		await scene.serve([scene.nodeOf('Ann')]);
	}
	await scene.comeAgain('Ann');
	await scene.steady();
	heard.notes.push(`everybody hears Ann again ${seconds(performance.now() - begun)} after the fault`);
	heard.lines.push('', 'Afterwards:', '  Ann comes again; everybody hears and sees everybody');
	return { load, heard };
}

const seconds = ms => `${(ms / 1000).toFixed(2)} s`;

function told(scene) {
	const events = scene.eventsByObject();
	return ['', 'What the application is told:', ...(events.length > 0 ? events : ['nothing']).map(line => `  ${line}`)];
}

// answered lists the answers to the requests of each person, with names in place of addresses.
function answered(scene, { answers }) {
	const names = new Map(NAMES.map(name => [scene.addressOf(name), `${name}'s node`]));
	const plain = text => [...names].reduce((all, [address, name]) => all.replaceAll(`node ${address}`, name), text).replace(/ \[method:.*?\]/, '');
	return ['', 'Requests:', ...NAMES.map(name => `  ${name}: ${[...new Set(answers[name].map(plain))].sort().join('; ')}`)];
}

// sessions lists what the nodes say of the application's sessions.
function sessions(scene) {
	const lines = NAMES.flatMap(name => {
		const log = scene.logOf(scene.nodeOf(name));
		return [...log.matchAll(/msg="a front's session is over".* reason="(.*)"/g)].map(([, reason]) => `  ${name}'s node: ${reason}`);
	});
	return lines.length > 0 ? ['', 'Sessions that have ended:', ...lines] : [];
}

// sound lists the pairs of people between whom a packet was lost though the fault was elsewhere, and tells of each what was lost.
function sound(scene, fault) {
	const pairs = NAMES.flatMap(name => NAMES.filter(other => other !== name).map(other => [name, other]));
	const lost = ([name, other]) => scene.people.get(name).hears.get(other).lost;
	const gap = ([name, other]) => scene.people.get(name).hears.get(other).gap();
	const unharmed = pairs.filter(pair => fault.unharmed(...pair));
	const harmed = unharmed.filter(pair => lost(pair) > 0).map(pair => `  ${pair.join(' hears ')}: ${lost(pair)} packets lost`);
	const all = unharmed.length === pairs.length ? 'all' : unharmed.map(pair => pair.join(' hears ')).join(', ');
	return {
		lines: ['', 'Sound:', ...(harmed.length > 0 ? harmed : [`  nothing is lost (${all})`])],
		notes: pairs.map(pair => `${pair.join(' hears ')}: ${lost(pair)} packets lost, longest gap ${seconds(gap(pair))}`),
	};
}

// objects waits until the nodes hold what they held before; a relay that is used no more stays for a while.
async function objects(scene, fault) {
	if (fault.lost && !fault.back) {
		return [];
	}
	let now;
	const same = async () => {
		now = await scene.countObjects();
		return JSON.stringify(now) === JSON.stringify(scene.objects);
	};
	await until('all nodes hold what they held before', same, { interval: 200 }).catch(error => {
		throw new Error(`${error.message}\nbefore: ${JSON.stringify(scene.objects)}\nnow: ${JSON.stringify(now)}`);
	});
	return ['', 'Nodes:', '  all hold as many objects as before'];
}

// isIdle waits until no node that runs holds anything of the application.
async function isIdle(scene) {
	const running = scene.nodes.filter(({ child }) => child.exitCode === null && child.signalCode === null);
	const before = JSON.stringify(running.map(node => scene.idle[scene.nodes.indexOf(node)]));
	let now;
	const same = async () => (now = JSON.stringify(await scene.holdings(running))) === before;
	await until('all nodes are idle', same, { interval: 200 }).catch(error => {
		throw new Error(`${error.message}\nbefore: ${before}\nnow: ${now}`);
	});
}

// compare wants the lines to be those of the golden list.
function compare(name, lines, update) {
	const file = path.join(GOLDEN, `${name}.txt`);
	const text = `${lines.join('\n')}\n`;
	if (update) {
		fs.writeFileSync(file, text);
	}
	const want = fs.readFileSync(file, 'utf8');
	if (text !== want) {
		throw new Error(`not as in ${path.relative(process.cwd(), file)}:\n${difference(want.split('\n'), lines)}`);
	}
}

function difference(want, have) {
	return [...want.filter(line => !have.includes(line)).map(line => `- ${line}`),
		...have.filter(line => !want.includes(line)).map(line => `+ ${line}`)].join('\n');
}

// attempt is happen, repeated when the machine was too busy.
async function attempt(name, seed, folder, network) {
	for (let left = TRIES; ; left--) {
		fs.rmSync(folder, { recursive: true, force: true });
		fs.mkdirSync(folder, { recursive: true });
		try {
			return await happen(FAULTS[name], seed, folder, network);
		} catch (error) {
			if (!(error instanceof BusyMachine) || left === 1) {
				throw error;
			}
			console.log(`again: ${name}, seed ${seed}: ${error.message}`);
		}
	}
}

async function main() {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: {
			quick: { type: 'boolean' }, update: { type: 'boolean' }, seeds: { type: 'string', default: '1' }, first: { type: 'string', default: '1' },
		},
	});
	const asked = positionals.length > 0 ? positionals : Object.keys(FAULTS).filter(name => !values.quick || FAULTS[name].quick);
	const unknown = asked.filter(name => !FAULTS[name]);
	if (unknown.length > 0) {
		console.error(`error: no fault ${unknown.join(', ')}: there are ${Object.keys(FAULTS).join(', ')}`);
		process.exit(2);
	}
	const network = process.env.FAULTS_NETWORK && new Network();
	const names = asked.filter(name => Boolean(FAULTS[name].network) === Boolean(network));
	fs.mkdirSync(OUT, { recursive: true });
	createCertificates(path.join(OUT, 'tls'), ['a', 'b', 'c']);
	let passed = 0;
	let failed = 0;
	for (const name of names) {
		for (let seed = Number(values.first); seed < Number(values.first) + Number(values.seeds); seed++) {
			const folder = path.join(OUT, `${name}-${seed}`);
			const begun = performance.now();
			try {
				const { lines, notes } = await attempt(name, seed, folder, network);
				compare(name, lines, values.update);
				console.log(`ok: ${name}, seed ${seed} (${seconds(performance.now() - begun)})`);
				notes.forEach(note => console.log(`    ${note}`));
				passed++;
			} catch (error) {
				console.log(`FAILED: ${name}, seed ${seed}: ${error.stack}`);
				failed++;
			}
		}
	}
	console.log(`${passed} passed, ${failed} failed`);
	process.exit(failed > 0 ? 1 : 0);
}

await main();
