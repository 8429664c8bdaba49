// Rehearses publishing: a registry on this machine, to which a release's npm packages are published, twice, and from which an empty project
// installs them. RELEASE is the release's folder, PUBLISH the script that publishes. What else the project needs comes from npm.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as path from 'node:path';
import { guard } from '../lib/processes.js';
import { until } from '../lib/wait.js';

const { RELEASE, PUBLISH, FOLDER } = process.env;
const project = path.join(FOLDER, 'project');
const npm = (...args) => String(execFileSync('npm', args, { cwd: project, env }));
const env = { ...process.env, NPM_CONFIG_USERCONFIG: path.join(FOLDER, 'npmrc'), NPM_CONFIG_CACHE: path.join(FOLDER, 'cache') };

// configure writes the registry's settings: on loopback, anybody who has an account may publish, and what it does not have it asks npm for.
function configure(upstream) {
	fs.writeFileSync(path.join(FOLDER, 'config.yaml'), JSON.stringify({
		storage: path.join(FOLDER, 'storage'),
		auth: { htpasswd: { file: path.join(FOLDER, 'htpasswd') } },
		uplinks: { npm: { url: upstream } },
		packages: {
			gazpacho: { access: '$all', publish: '$authenticated' },
			'@gazpacho/*': { access: '$all', publish: '$authenticated' },
			'**': { access: '$all', publish: '$authenticated', proxy: 'npm' },
		},
		log: { type: 'file', path: path.join(FOLDER, 'log'), level: 'warn' },
		max_body_size: '200mb',
		security: { api: { jwt: { sign: { expiresIn: '1d' } } } }, // a token that needs no password to be checked again each time
	}));
}

// start returns the registry's address.
async function start() {
	const verdaccio = path.join(import.meta.dirname, 'registry/node_modules/.bin/verdaccio');
	const port = await freePort();
	guard(spawn(process.execPath, [verdaccio, '--config', path.join(FOLDER, 'config.yaml'), '--listen', `127.0.0.1:${port}`], { stdio: 'inherit' }));
	const registry = `http://127.0.0.1:${port}`;
	await until('the registry answers', () => fetch(`${registry}/-/ping`).then(({ ok }) => ok, () => false), { timeout: 120_000 });
	return registry;
}

function freePort() {
	const server = net.createServer();
	return new Promise(resolve => server.listen(0, '127.0.0.1', () => {
		const { port } = server.address();
		server.close(() => resolve(port));
	}));
}

// logIn makes an account, and has npm use it.
async function logIn(registry) {
	const response = await fetch(`${registry}/-/user/org.couchdb.user:rehearsal`, {
		method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: 'rehearsal', password: 'rehearsal' }),
	});
	const { token } = await response.json();
	fs.writeFileSync(env.NPM_CONFIG_USERCONFIG, `registry=${registry}\n//${new URL(registry).host}/:_authToken=${token}\n`);
}

const publish = () => execFileSync(PUBLISH, [path.join(RELEASE, 'npm')], { env, stdio: ['ignore', 'inherit', 'inherit'] });

fs.rmSync(FOLDER, { recursive: true, force: true });
fs.mkdirSync(project, { recursive: true });
configure(String(execFileSync('npm', ['config', 'get', 'registry'])).trim());
const registry = await start();
await logIn(registry);
publish();
publish(); // as after a failure half-way: what is there is left alone
const { optionalDependencies, version } = JSON.parse(npm('view', 'gazpacho', '--json'));
const platforms = Object.keys(optionalDependencies);
console.log(`published: gazpacho ${version} with ${platforms.join(', ')}`);
platforms.forEach(name => assert.equal(npm('view', name, 'version').trim(), version));

npm('init', '-y');
npm('install', '--ignore-scripts', '--no-audit', '--no-fund', 'gazpacho', 'mediasoup@3.27.1', 'werift@0.25.2');
assert.deepEqual(fs.readdirSync(path.join(project, 'node_modules/@gazpacho')), [`${process.platform}-${process.arch}`]);
const lock = JSON.parse(fs.readFileSync(path.join(project, 'package-lock.json')));
platforms.forEach(name => assert.ok(lock.packages[`node_modules/${name}`], `the lock file has ${name} for others`));
console.log(String(execFileSync(process.execPath, ['node_modules/gazpacho/examples/call.js'], { cwd: project })));

// Two people of a team with different machines: the lock file of one installs on the other's.
fs.rmSync(path.join(project, 'node_modules'), { recursive: true });
npm('ci', '--ignore-scripts', '--os=darwin', '--cpu=arm64', '--no-audit', '--no-fund');
assert.deepEqual(fs.readdirSync(path.join(project, 'node_modules/@gazpacho')), ['darwin-arm64']);
console.log('registry rehearsal: passed');
process.exit();
