// The npm package in an empty project, installed from the release's tarballs without any install script. PROJECT is that project's folder.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { within } from '../../lib/wait.js';

const { PROJECT } = process.env;
const HERE = path.join(import.meta.dirname, '..');
const SHIM = path.join(PROJECT, 'node_modules/.bin/gazpacho');
const [version] = Object.values(JSON.parse(fs.readFileSync(path.join(PROJECT, 'node_modules/gazpacho/package.json'))).optionalDependencies);

const run = promisify(execFile);
const node = (code, ...options) => run(process.execPath, [...options, '-e', code], { cwd: PROJECT });

test('the binaries are there, for require and import', async () => {
	const common = await node('const { workerBin, nodeBin } = require("gazpacho"); console.log(workerBin); console.log(nodeBin)');
	const module = await node('import { workerBin, nodeBin } from "gazpacho"; console.log(workerBin); console.log(nodeBin)', '--input-type=module');
	assert.equal(module.stdout, common.stdout);
	const [workerBin, nodeBin] = common.stdout.trim().split('\n');
	assert.ok(workerBin.startsWith(fs.realpathSync(PROJECT)));
	assert.ok((await run(workerBin, ['--version'])).stdout.startsWith(`mediasoup-worker ${version} `));
	assert.equal((await run(nodeBin, ['version'])).stdout, `gazpacho ${version}\n`);
	assert.equal((await run(SHIM, ['version'])).stdout, `gazpacho ${version}\n`);
});

test('a call between two peers', async () => {
	const { stdout } = await run(process.execPath, ['node_modules/gazpacho/examples/call.js'], { cwd: PROJECT });
	console.log(stdout);
	assert.match(stdout, /Ann: ICE completed, DTLS connected[^]*Ann hears Bob: 100 packets[^]*done/);
	assert.match(stdout, /Bob: ICE completed, DTLS connected[^]*Bob hears Ann: 100 packets[^]*done/);
});

test('a conference for browsers', async t => {
	fs.writeFileSync(path.join(PROJECT, 'conference.js'), "import('gazpacho/conference');\n");
	const child = spawn(process.execPath, ['conference.js'], { cwd: PROJECT, env: { ...process.env, LISTEN: '127.0.0.1:0' }, stdio: ['ignore', 'pipe', 'inherit'] });
	t.after(() => child.kill('SIGKILL'));
	const [line] = await within('it is served', once(child.stdout, 'data'));
	const [, url] = /The conference is at (\S+)/.exec(String(line));
	assert.match(await (await fetch(url)).text(), /<title>Conference<\/title>/);
	assert.match(await (await fetch(new URL('/main.js', url))).text(), /RTCPeerConnection/);
	child.kill('SIGTERM');
	assert.deepEqual(await within('it ends', once(child, 'exit')), [0, null]);
});

test('the program gets arguments and signals, and its exit code counts', async t => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gazpacho-'));
	t.after(() => fs.rmSync(folder, { recursive: true }));
	const child = spawn(SHIM, ['node', '--name', 'a', '--listen', `unix:${folder}/node.sock`, '--metrics', 'none'], { stdio: ['ignore', 'pipe', 'pipe'] });
	t.after(() => child.kill('SIGKILL'));
	const [line] = await within('it listens', once(child.stdout, 'data'));
	assert.match(String(line), /^node a listens on unix:/);
	child.kill('SIGTERM'); // it drains, and has nothing to wait for
	assert.deepEqual(await within('it ends', once(child, 'exit')), [0, null]);

	await assert.rejects(run(SHIM, ['cook']), ({ code, stderr }) => code === 2 && /there is no command "cook"/.test(stderr));
});

// A copy of the package without the platform's.
test('a helpful error if there are no binaries', async t => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gazpacho-'));
	t.after(() => fs.rmSync(folder, { recursive: true }));
	fs.cpSync(path.join(PROJECT, 'node_modules/gazpacho'), path.join(folder, 'node_modules/gazpacho'), { recursive: true });
	const alone = (code, ...options) => run(process.execPath, [...options, '-e', code], { cwd: folder });
	const notInstalled = ({ stderr }) => {
		assert.match(stderr, new RegExp(`@gazpacho/${process.platform}-${process.arch}, which has mediasoup-worker for this platform, is not installed`));
		assert.match(stderr, /code: 'NO_BINARY'/);
		return true;
	};
	await assert.rejects(alone('require("gazpacho").workerBin'), notInstalled);
	await assert.rejects(alone('import { workerBin } from "gazpacho"', '--input-type=module'), notInstalled);
	await assert.rejects(run(path.join(folder, 'node_modules/gazpacho/bin/gazpacho.js'), ['version']), ({ code, stderr }) => code === 1
		&& /which has gazpacho for this platform, is not installed/.test(stderr) && !/at /.test(stderr));
	const elsewhere = 'Object.defineProperty(process, "platform", { value: "plan9" });';
	await assert.rejects(alone(`${elsewhere} require("gazpacho").nodeBin`), ({ stderr }) =>
		/no binaries of Gazpacho for plan9-\w+, only for darwin-arm64, darwin-x64, linux-arm64, linux-x64/.test(stderr));

	await assert.rejects(alone('import("gazpacho/conference")'), ({ code, stderr }) => code === 1
		&& stderr === 'error: not installed: mediasoup, mediasoup-client, esbuild, ws. Run: npm install --ignore-scripts mediasoup mediasoup-client esbuild ws\n');

	// What needs no binary works.
	await alone('require("gazpacho").importProducer.call');
	await alone('import { importProducer } from "gazpacho/import-producer"', '--input-type=module');
});

test('types', async () => {
	const folder = path.join(PROJECT, 'types');
	fs.cpSync(path.join(HERE, 'types'), folder, { recursive: true });
	const node = ['--types', 'node', '--typeRoots', path.join(HERE, 'node_modules/@types')]; // which mediasoup's types need
	const { stdout } = await run(path.join(HERE, 'node_modules/.bin/tsc'), ['--project', folder, ...node]).catch(error => error);
	assert.equal(stdout, '');
});
