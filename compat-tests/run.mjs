// Runs the Jest suites of one mediasoup release, one suite after the other, and compares what passed with the list
// in compat-tests/expected. run.sh installs everything and calls this.
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { Excuses } from './killed-node.mjs';
import { knownFailures } from './known-failures.mjs';

const HERE = import.meta.dirname;
// What each test and hook has at least. It is for what hangs, not for what is slow: see patience.cjs.
const TEST_TIMEOUT_MS = 30_000;
// A suite that takes longer hangs: its processes are killed and its tests count as failed.
const SUITE_TIMEOUT_MS = 300_000;
// How long a worker may take, on a busy machine, to notice that its parent is gone.
const LEFTOVER_GRACE_MS = 30_000;

const { values: options, positionals: wanted } = parseArgs({
	allowPositionals: true,
	options: {
		release: { type: 'string' },
		worker: { type: 'string' },
		home: { type: 'string' },
		update: { type: 'boolean', default: false },
		all: { type: 'boolean', default: false },
	},
});

const packageFolder = path.join(options.home, options.release, 'mediasoup');
// Up to 3.13.5, the folder had another name.
const testFolder = ['test', 'tests'].map(name => path.join(packageFolder, 'node', 'lib', name)).find(fs.existsSync);
const excuses = process.env.NODE_KILLS && new Excuses(process.env.NODE_KILLS);
const resultFolder = path.join(options.home, options.release, 'results');
const expectedFile = path.join(HERE, 'expected', `${options.release}.txt`);

// listSuites returns the names of the suites to run: "Worker" for test-Worker.js.
function listSuites() {
	const all = fs
		.readdirSync(testFolder)
		.map(file => /^test-(.+)\.js$/.exec(file)?.[1])
		.filter(Boolean)
		.sort();
	for (const name of wanted) {
		if (!all.includes(name)) {
			console.error(`error: no suite ${name} in mediasoup ${options.release}; there are: ${all.join(' ')}`);
			process.exit(1);
		}
	}
	return wanted.length > 0 ? wanted : all;
}

function jestConfig() {
	return JSON.stringify({
		rootDir: testFolder,
		testEnvironment: 'node',
		testRegex: ['test-.*\\.js$'],
		testTimeout: TEST_TIMEOUT_MS,
		setupFilesAfterEnv: ['patience.cjs', ...(excuses ? ['times.cjs'] : [])].map(file => path.join(HERE, file)),
		transform: {},
		cacheDirectory: path.join(options.home, 'jest-cache'),
	});
}

// livingInGroup lists the processes of a process group that have not ended (zombies have).
function livingInGroup(group) {
	const found = [];
	for (const entry of fs.readdirSync('/proc')) {
		if (!/^\d+$/.test(entry)) {
			continue;
		}
		let stat;
		try {
			stat = fs.readFileSync(`/proc/${entry}/stat`, 'utf8');
		} catch {
			continue; // Ended meanwhile.
		}
		const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
		const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		if (Number(pgrp) === group && state !== 'Z') {
			found.push({ pid: Number(entry), name });
		}
	}
	return found;
}

function killGroup(group) {
	try {
		process.kill(-group, 'SIGKILL');
	} catch (error) {
		if (error.code !== 'ESRCH') {
			throw error;
		}
	}
}

// leftovers waits until the group is empty and returns what is still there at the deadline, killed.
async function leftovers(group) {
	const deadline = Date.now() + LEFTOVER_GRACE_MS;
	let living = livingInGroup(group);
	while (living.length > 0 && Date.now() < deadline) {
		await new Promise(resolve => setTimeout(resolve, 50));
		living = livingInGroup(group);
	}
	killGroup(group);
	return living;
}

// timesOf is the file in which it is noted when a suite's tests have begun.
const timesOf = suite => path.join(resultFolder, `${suite}.times`);

// runJest runs one suite in a process group of its own.
async function runJest(suite, outputFile) {
	const jest = path.join(options.home, 'node_modules', 'jest', 'bin', 'jest.js');
	const args = [
		jest,
		'--config', jestConfig(),
		'--runInBand', '--forceExit', '--ci', '--silent',
		'--json', '--outputFile', outputFile,
		'--runTestsByPath', path.join(testFolder, `test-${suite}.js`),
	];
	const child = spawn(process.execPath, args, {
		cwd: testFolder,
		detached: true,
		stdio: ['ignore', 'ignore', 'pipe'],
		env: { ...process.env, MEDIASOUP_WORKER_BIN: options.worker, TEST_TIMEOUT_MS: String(TEST_TIMEOUT_MS), DEBUG: '', TEST_TIMES: timesOf(suite) },
	});
	const log = fs.createWriteStream(path.join(resultFolder, `${suite}.log`));
	child.stderr.pipe(log);

	let timedOut = false;
	const timer = setTimeout(() => {
		timedOut = true;
		killGroup(child.pid);
	}, SUITE_TIMEOUT_MS);
	await new Promise(resolve => child.once('exit', resolve));
	clearTimeout(timer);

	return { timedOut, left: await leftovers(child.pid) };
}

async function runSuite(suite) {
	const outputFile = path.join(resultFolder, `${suite}.json`);
	[outputFile, timesOf(suite)].forEach(file => fs.rmSync(file, { force: true }));
	const { timedOut, left } = await runJest(suite, outputFile);

	const problems = [];
	if (timedOut) {
		problems.push(`suite ${suite} took longer than ${SUITE_TIMEOUT_MS / 1000} s and was killed`);
	}
	if (left.length > 0) {
		problems.push(`suite ${suite} left processes behind: ${left.map(p => `${p.name} (${p.pid})`).join(', ')}`);
	}
	if (!fs.existsSync(outputFile)) {
		problems.push(`suite ${suite} gave no results; see ${path.join(resultFolder, `${suite}.log`)}`);
		return { suite, tests: [], problems };
	}

	const report = JSON.parse(fs.readFileSync(outputFile, 'utf8'));
	const tests = report.testResults.flatMap(file =>
		file.assertionResults.map(test => ({
			id: `${suite} › ${test.fullName.replace(/\s+/g, ' ')}`,
			passed: test.status === 'passed',
			name: test.fullName,
			failure: test.failureMessages.join('\n'),
			reason: (test.failureMessages[0] ?? test.status).split('\n')[0],
		})),
	);
	if (tests.length === 0) {
		problems.push(`suite ${suite} holds no test that could run; see ${path.join(resultFolder, `${suite}.log`)}`);
	}
	excuses?.excused(tests.filter(test => !test.passed), timesOf(suite)).forEach(test => (test.excused = true));
	return { suite, tests, problems };
}

function readExpected() {
	if (!fs.existsSync(expectedFile)) {
		return new Set();
	}
	const lines = fs.readFileSync(expectedFile, 'utf8').split('\n');
	return new Set(lines.filter(line => line && !line.startsWith('#')));
}

function writeExpected(ids) {
	const text = [
		`# Tests of mediasoup ${options.release} that our worker passes. Written by: compat-tests/run.sh --update`,
		...[...ids].sort(),
	].join('\n');
	fs.writeFileSync(expectedFile, `${text}\n`);
}

// allBut returns the ids of all tests that ran, without those excepted.
function allBut(results, excepted) {
	const ids = results.flatMap(result => result.tests).map(test => test.id);
	return new Set(ids.filter(id => !excepted.has(id)));
}

// writeSummary leaves the figures of this run for matrix.mjs.
function writeSummary(results, problems) {
	const tests = results.flatMap(result => result.tests);
	const failed = tests.filter(test => !test.passed).map(({ id, reason }) => ({ id, reason }));
	const summary = { release: options.release, total: tests.length, passed: tests.length - failed.length, failed, problems };
	fs.writeFileSync(path.join(resultFolder, 'summary.json'), `${JSON.stringify(summary, null, '\t')}\n`);
}

// judge compares the results with the expected list and returns what is wrong.
function judge(results, expected) {
	const suites = new Set(results.map(result => result.suite));
	const tests = results.flatMap(result => result.tests);
	const byId = new Map(tests.map(test => [test.id, test]));
	const problems = results.flatMap(result => result.problems);
	for (const id of expected) {
		if (!suites.has(id.split(' › ')[0])) {
			continue;
		}
		const test = byId.get(id);
		if (!test?.passed && !test?.excused) {
			problems.push(`expected to pass: ${id}\n      ${test?.reason ?? 'did not run'}`);
		}
	}
	return { problems, surplus: tests.filter(test => test.passed && !expected.has(test.id)) };
}

function printTable(results) {
	const line = (name, passed, total) => console.log(`${name.padEnd(24)} ${String(passed).padStart(4)} / ${total}`);
	let passed = 0;
	let total = 0;
	for (const { suite, tests } of results) {
		const good = tests.filter(test => test.passed).length;
		passed += good;
		total += tests.length;
		line(suite, good, tests.length);
	}
	line('total', passed, total);
}

// printExcused prints which tests have failed since a node was killed.
function printExcused(results) {
	const excused = results.flatMap(result => result.tests).filter(test => test.excused);
	if (excuses) {
		console.log(`${excuses.count} times a node was killed; ${excused.length} tests failed that ran meanwhile, as killed-node.txt says:`);
	}
	excused.forEach(test => console.log(`  - ${test.id}\n      ${test.failure.split('\n').find(line => line.startsWith('Rejected')) ?? test.reason}`));
}

function update(results, expected) {
	const suites = new Set(results.map(result => result.suite));
	const kept = [...expected].filter(id => !suites.has(id.split(' › ')[0]));
	const passed = results.flatMap(result => result.tests).filter(test => test.passed);
	writeExpected(new Set([...kept, ...passed.map(test => test.id)]));
	console.log(`wrote ${path.relative(process.cwd(), expectedFile)}`);
}

async function main() {
	fs.mkdirSync(resultFolder, { recursive: true });
	console.log(`mediasoup ${options.release}: its own suites against ${options.worker}`);
	const results = [];
	for (const suite of listSuites()) {
		results.push(await runSuite(suite));
	}
	printTable(results);

	const expected = options.all ? allBut(results, knownFailures(options.release)) : readExpected();
	const { problems, surplus } = judge(results, expected);
	if (expected.size === 0) {
		problems.push(`nothing is expected of release ${options.release}: ${expectedFile} is missing or empty`);
	}
	if (surplus.length > 0) {
		console.log(`${surplus.length} tests pass that are not on the list${options.update ? '' : ' (--update adds them)'}:`);
		surplus.forEach(test => console.log(`  + ${test.id}`));
	}
	writeSummary(results, problems);
	if (options.update) {
		update(results, expected);
		return;
	}
	problems.forEach(problem => console.log(`  ✗ ${problem}`));
	printExcused(results);
	const tests = results.flatMap(result => result.tests);
	const good = tests.filter(test => (test.passed || test.excused) && expected.has(test.id)).length;
	console.log('expected tests of this release:');
	console.log(`${good} passed, ${problems.length} failed`);
	process.exitCode = problems.length === 0 ? 0 : 1;
}

await main();
