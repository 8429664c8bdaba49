// The soak test: run.js [--mode worker|nodes|cluster|all] [--minutes N] [--rate N] [--seed N] [--round SECONDS] [--out FOLDER].
// In rounds, applications do everything that there is, rate acts a second, and then close everything. What their processes hold then is
// written down; what has grown in the end is a leak. Minutes are those of each mode.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { chart } from './chart.js';
import { MODES, Site } from './site.js';
import { growths, table } from './verdict.js';

const RESTART_EVERY = 3; // rounds

const { values: options } = parseArgs({
	options: {
		mode: { type: 'string', default: 'all' }, minutes: { type: 'string', default: '15' }, rate: { type: 'string', default: '40' },
		seed: { type: 'string', default: '1' }, round: { type: 'string', default: '30' },
		out: { type: 'string', default: path.join(import.meta.dirname, '..', '..', 'build', 'soak') },
	},
});
const [minutes, rate, seed, seconds] = ['minutes', 'rate', 'seed', 'round'].map(name => Number(options[name]));
const modes = options.mode === 'all' ? Object.keys(MODES) : [options.mode];
if (modes.some(mode => !(mode in MODES)) || !(minutes > 0 && rate > 0 && seconds > 0 && Number.isInteger(seed))) {
	console.error(`a mode is one of ${Object.keys(MODES).join(', ')} or all; minutes, rate and round are numbers, a seed is an integer`);
	process.exit(2);
}

// soak runs one mode, and returns what is wrong.
async function soak(mode) {
	const folder = path.join(options.out, mode);
	fs.rmSync(folder, { recursive: true, force: true });
	fs.mkdirSync(folder, { recursive: true });
	const site = await Site.open(mode, { folder, crowd: process.env.CROWD, seed });
	const rounds = [];
	try {
		const end = performance.now() + minutes * 60_000;
		for (let before; performance.now() < end;) {
			const round = await live(site, rounds.length, before);
			rounds.push(round);
			before = mostOf(rounds);
			console.log(`${mode} ${line(rounds)}`);
			if (rounds.length === 2) {
				await Promise.all(site.processes.map(census => census.save(folder, 'begin')));
			}
		}
		await Promise.all(site.processes.map(census => census.save(folder, 'end')));
		const done = await doings(site);
		report(mode, folder, rounds, done, site);
		await site.close();
		return [...growths(rounds), ...faults(done)];
	} finally {
		site.end();
	}
}

// live has one round pass and returns what is held then.
async function live(site, n, before) {
	await site.live(seconds, rate, n % RESTART_EVERY === RESTART_EVERY - 1);
	await site.empty();
	const counts = await site.settled(before);
	const holds = {};
	for (const census of site.processes) {
		holds[census.name] = { ...counts[census.name], ...await census.memory() };
	}
	for (const application of site.applications) {
		const { heap, ...rest } = await application.call('holds');
		holds[application.name] = { live: heap, ...rest };
	}
	holds['all together'] = { 'entries in folders': site.files };
	return { holds };
}

// mostOf returns the most that each process has held of each figure.
function mostOf(rounds) {
	const most = {};
	for (const { holds } of rounds) {
		for (const [name, figures] of Object.entries(holds)) {
			most[name] ??= {};
			Object.entries(figures).forEach(([what, value]) => (most[name][what] = Math.max(most[name][what] ?? 0, value)));
		}
	}
	return most;
}

async function doings(site) {
	const processes = {};
	for (const census of site.processes) {
		processes[census.name] = await census.done();
	}
	const applications = await Promise.all(site.applications.map(application => application.call('done')));
	return { processes, applications };
}

// faults returns what must not happen: panics that were contained.
function faults({ processes }) {
	return Object.entries(processes).filter(([, { internal_errors_total: errors }]) => errors > 0).map(([name, { internal_errors_total: errors }]) =>
		`${name}: ${errors} internal errors, see its log`);
}

function line(rounds) {
	const short = ({ live, goroutines, descriptors }) => [
		`${(live / 2 ** 20).toFixed(2)} MB`, goroutines && `${goroutines} goroutines`, descriptors && `${descriptors} descriptors`,
	].filter(Boolean).join(', ');
	const all = Object.entries(rounds.at(-1).holds).filter(([, { live: bytes }]) => bytes).map(([name, figures]) => `${name}: ${short(figures)}`);
	return `round ${rounds.length}: ${all.join('; ')}`;
}

function report(mode, folder, rounds, done, { restarts }) {
	fs.writeFileSync(path.join(folder, 'rounds.json'), JSON.stringify({ mode, minutes, rate, seed, seconds, restarts, rounds, done }, undefined, '\t'));
	fs.writeFileSync(path.join(folder, 'chart.svg'), chart(`make soak, ${mode}: what is held when everything is closed`, rounds));
	const acts = done.applications.map(application => Object.values(application.done).reduce((sum, n) => sum + n, 0));
	const text = [
		`${mode}: ${rounds.length} rounds of ${seconds} s, ${acts.reduce((sum, n) => sum + n, 0)} acts${restarts ? `, ${restarts} nodes started again` : ''}`,
		'', table(rounds), '', ...done.applications.flatMap(({ refused }, i) => [`What application ${i + 1} was refused:`, ...refusals(refused), '']),
	].join('\n');
	fs.writeFileSync(path.join(folder, 'report.md'), text);
	console.log(`\n${text}`);
}

const refusals = refused => Object.entries(refused).sort(([, a], [, b]) => b - a).map(([reason, n]) => `- ${n} × ${reason}`);

let failed = false;
for (const mode of modes) {
	for (const what of await soak(mode)) {
		console.error(`FAILED ${mode}: ${what}`);
		failed = true;
	}
}
process.exit(failed ? 1 : 0);
