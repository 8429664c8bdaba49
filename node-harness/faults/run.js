// Runs the faults: run.js [--quick] [--seeds N] [--first N] [--update] [FAULT…]. For each fault and seed it starts a cluster with an
// application, lets the fault happen under load, and compares what the application was told and answered with a golden list. What
// cannot be compared is printed: how long sound was gone, and how long requests took. FAULTS_NETWORK=1 runs those faults that need
// network namespaces, and only those.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { createCertificates } from '../lib/nodes.js';
import { generator } from '../lib/random.js';
import { PERSON_FAULTS } from './faults.js';
import { Network } from './network.js';
import { ROOM_FAULTS } from './rooms/faults.js';
import { House } from './rooms/house.js';
import { IDLE, observe } from './observe.js';
import { Scene } from './scene.js';

const FAULTS = { ...PERSON_FAULTS, ...ROOM_FAULTS };
const OUT = path.join(import.meta.dirname, '..', '..', 'build', 'faults');
const TLS = path.join(OUT, 'tls');
const GOLDEN = path.join(import.meta.dirname, 'golden');
// A node counts a stream as silent, and shows other layers, when nothing has come for 1.5 s. A machine that is busier than this
// breaks things by itself, so the run is repeated.
const MAX_PAUSE_MS = 1000;
const TRIES = 5;

class BusyMachine extends Error {}

// happen starts a cluster and lets a fault happen to it.
async function happen(fault, seed, folder, network) {
	const random = generator(seed);
	const [scene, play] = fault.plan
		? [await House.open({ tls: TLS, folder, random, network, plan: fault.plan }), playRooms]
		: [await Scene.open({ ...fault, tls: TLS, folder, random, network }), observe];
	const outcome = play(scene, fault, random).finally(() => {
		scene.end();
		network?.mend(); // if it is still cut, as something has failed
	});
	await outcome.catch(() => {});
	if (scene.longestPause > MAX_PAUSE_MS) {
		throw new BusyMachine(`the machine was too busy to send for ${Math.round(scene.longestPause)} ms`);
	}
	return outcome;
}

// playRooms is observe for a fault with many rooms.
async function playRooms(house, fault, random) {
	const { lines, figures } = await fault.play(house, random);
	return { figures, lines: [`# ${fault.about}`, ...lines, ...IDLE] };
}

// attempt is happen, repeated when the machine was too busy.
async function attempt(name, seed, network) {
	const folder = path.join(OUT, `${name}-${seed}`);
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
	return [
		...want.filter(line => !have.includes(line)).map(line => `- ${line}`), ...have.filter(line => !want.includes(line)).map(line => `+ ${line}`),
	].join('\n');
}

// repeat runs a fault with each seed, and returns how many runs failed.
async function repeat(name, seeds, { update, network }) {
	const worst = {};
	let failed = 0;
	for (const seed of seeds) {
		const begun = performance.now();
		const took = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
		try {
			const { lines, figures } = await attempt(name, seed, network);
			compare(name, lines, update);
			console.log(`ok: ${name}, seed ${seed} (${took()})`);
			Object.entries(figures).forEach(([what, figure]) => (worst[what] = Math.max(figure, worst[what] ?? 0)));
		} catch (error) {
			console.log(`FAILED: ${name}, seed ${seed} (${took()}): ${error.stack}`);
			failed++;
		}
	}
	console.log(seeds.length > 1 ? '    the worst figures of all seeds:' : '    figures:');
	Object.entries(worst).forEach(([what, figure]) => console.log(`    ${what}: ${Number.isInteger(figure) ? figure : `${figure.toFixed(2)} s`}`));
	return failed;
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
	const network = process.env.FAULTS_NETWORK ? new Network() : undefined;
	const names = asked.filter(name => Boolean(FAULTS[name].network) === Boolean(network));
	if (names.length === 0) {
		return;
	}
	const seeds = Array.from({ length: Number(values.seeds) }, (_, i) => Number(values.first) + i);
	fs.mkdirSync(OUT, { recursive: true });
	createCertificates(TLS, ['a', 'b', 'c', 'd', 'e', 'bus']);
	let failed = 0;
	for (const name of names) {
		failed += await repeat(name, seeds, { update: values.update, network });
	}
	console.log(`${names.length * seeds.length - failed} passed, ${failed} failed`);
	process.exit(failed > 0 ? 1 : 0);
}

await main();
