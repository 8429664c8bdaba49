// What a release says of itself. RELEASE is its folder.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as crypto from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';

const { RELEASE } = process.env;
const ROOT = path.join(import.meta.dirname, '../..');
const read = name => fs.readFileSync(path.join(RELEASE, name));
const files = fs.readdirSync(RELEASE, { recursive: true }).filter(name => fs.statSync(path.join(RELEASE, name)).isFile());
// all returns the files of a kind, of which there is one for each platform at least.
const all = pattern => {
	const names = files.filter(file => pattern.test(file));
	assert.ok(names.length > 0, `a file like ${pattern}: ${files}`);
	return names;
};
// list returns the entries of an archive: mode, owner, name.
const list = (command, ...args) => String(execFileSync(command, args)).trim().split('\n').map(line => {
	const [mode, owner] = line.split(/\s+/);
	return { mode, owner, name: line.slice(line.indexOf(':') + 3).trim() };
});
const entry = (entries, name) => entries.find(entry => entry.name.endsWith(name)) ?? assert.fail(`there is no ${name}`);

test('the checksums are those of all files', () => {
	const sums = Object.fromEntries(String(read('SHA256SUMS')).trim().split('\n').map(line => line.split('  ').reverse()));
	const found = files.filter(name => name !== 'SHA256SUMS').map(name => [name, crypto.createHash('sha256').update(read(name)).digest('hex')]);
	assert.deepEqual(sums, Object.fromEntries(found));
});

test('an archive has the programs, and what goes with them', () => {
	for (const name of all(/^gazpacho-.*\.tar\.gz$/)) {
		const entries = list('tar', 'tzvf', path.join(RELEASE, name));
		assert.ok(entries.every(({ owner }) => owner === '0/0'));
		['/gazpacho', '/mediasoup-worker'].forEach(program => assert.equal(entry(entries, program).mode, '-rwxr-xr-x'));
		['/LICENSE', '/NOTICE', '/THIRD-PARTY.txt', '/README.md', '/docs/cluster.md'].forEach(text => assert.equal(entry(entries, text).mode, '-rw-r--r--'));
	}
});

test('the npm packages need no install script', () => {
	for (const name of all(/^npm/)) {
		const file = path.join(RELEASE, name);
		const manifest = JSON.parse(execFileSync('tar', ['xzOf', file, 'package/package.json']));
		assert.equal(manifest.scripts, undefined);
		const entries = list('tar', 'tzvf', file);
		['LICENSE', 'NOTICE', 'README.md'].forEach(text => entry(entries, `package/${text}`));
		if (manifest.os) {
			const [, os, cpu] = /gazpacho-([a-z]+)-([a-z0-9]+)-/.exec(name);
			assert.deepEqual([manifest.os, manifest.cpu], [[os], [cpu]]);
			['gazpacho', 'mediasoup-worker'].forEach(program => assert.equal(entry(entries, `package/bin/${program}`).mode, '-rwxr-xr-x'));
			entry(entries, 'package/THIRD-PARTY.txt');
		}
	}
});

test('the bill of materials and the licences name what the programs contain', () => {
	const { components, dependencies } = JSON.parse(read(all(/\.cdx\.json$/)[0]));
	const licences = String(read('THIRD-PARTY.txt'));
	for (const program of ['gazpacho', 'mediasoup-worker']) {
		const info = String(execFileSync('go', ['version', '-m', path.join(ROOT, 'bin', program)]));
		const modules = [...info.matchAll(/^\tdep\t(\S+)\t(\S+)/gm)].map(([, name, version]) => `${name}@${version}`);
		const { dependsOn } = dependencies.find(({ ref }) => ref === `gazpacho/cmd/${program}`);
		const listed = components.filter(component => dependsOn.includes(component['bom-ref'])).map(({ name, version }) => `${name}@${version}`);
		assert.deepEqual(listed.filter(name => !name.startsWith('std@')).sort(), modules.sort());
		assert.equal(listed.length, modules.length + 1);
		modules.forEach(module => assert.ok(licences.includes(module.replace('@', ' ')), module));
	}
});

test('the Debian packages', () => {
	for (const name of all(/\.deb$/)) {
		const file = path.join(RELEASE, name);
		const field = of => String(execFileSync('dpkg-deb', ['--field', file, of])).trim();
		assert.equal(field('Package'), 'gazpacho');
		assert.equal(field('Depends'), 'adduser');
		assert.match(name, new RegExp(`_${field('Architecture')}\\.deb$`));
		const entries = list('dpkg-deb', '--contents', file);
		assert.ok(entries.every(({ owner }) => owner === 'root/root'));
		['/usr/bin/gazpacho', '/usr/bin/mediasoup-worker'].forEach(program => assert.equal(entry(entries, program).mode, '-rwxr-xr-x'));
		for (const text of ['/lib/systemd/system/gazpacho-node.service', '/etc/gazpacho/node.toml', '/copyright', '/changelog.gz', '/THIRD-PARTY.txt.gz']) {
			assert.equal(entry(entries, text).mode, '-rw-r--r--');
		}
	}
});

// The unit's limit for stopping must be longer than the node drains.
test('the unit waits until the node has drained', () => {
	const unit = fs.readFileSync(path.join(ROOT, 'deploy/systemd/gazpacho-node.service'), 'utf8');
	const help = String(execFileSync(path.join(ROOT, 'bin/gazpacho'), ['node', '--help']));
	const minutes = Number(/^TimeoutStopSec=(\d+)min$/m.exec(unit)[1]);
	const [, hours] = /longest time to drain \(default (\d+)h0m0s\)/.exec(help);
	assert.ok(minutes > hours * 60);
});

test('the settings that the Debian package brings, and those that it proposes, are understood', () => {
	const settings = fs.readFileSync(path.join(ROOT, 'deploy/debian/node.toml'), 'utf8');
	const names = String(execFileSync(path.join(ROOT, 'bin/gazpacho'), ['node', '--help'])).match(/--[a-z0-9-]+/g);
	const used = [...settings.matchAll(/^#?([a-z0-9-]+) = /gm)].map(([, name]) => `--${name}`);
	assert.ok(used.length > 5);
	used.forEach(name => assert.ok(names.includes(name), name));
});
