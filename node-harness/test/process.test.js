// The worker process never outlives the application.
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import * as mediasoup from 'mediasoup';
import { closeWorker } from '../lib/fixture.js';
import { until, within } from '../lib/wait.js';

// runs reports whether a process exists and is not a zombie.
function runs(pid) {
	try {
		const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
		return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
	} catch {
		return false;
	}
}

// application starts a Node process with some workers and returns it and their process ids.
async function application() {
	const child = fork(path.join(import.meta.dirname, 'application.js'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
	const pids = await within('the workers run', new Promise((resolve, reject) => {
		child.once('message', resolve);
		child.once('exit', code => reject(new Error(`the application ended with ${code}`)));
	}));
	assert.equal(pids.length, 3);
	assert.ok(pids.every(runs));
	return { child, pids };
}

for (const signal of ['SIGKILL', 'SIGTERM', 'SIGABRT']) {
	test(`${signal} of the application ends its workers`, async () => {
		const { child, pids } = await application();
		child.kill(signal);
		await until('no worker is left', () => !pids.some(runs));
		// mediasoup's handler of SIGTERM closes the workers and lets Node live on.
		child.kill('SIGKILL');
		await until('the application has ended', () => !runs(child.pid));
	});
}

test('close() ends the process with its routers and transports', async () => {
	const worker = await mediasoup.createWorker();
	const router = await worker.createRouter();
	await router.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '127.0.0.1' } });
	await router.createDirectTransport();
	await closeWorker(worker);
	assert.equal(worker.subprocessClosed, true);
	assert.equal(worker.died, false);
	await until('the process is gone', () => !runs(worker.pid));
});

test('a killed worker is reported as died', async () => {
	const worker = await mediasoup.createWorker();
	const died = within('died', new Promise(resolve => worker.once('died', resolve)));
	process.kill(worker.pid, 'SIGKILL');
	const error = await died;
	assert.match(error.message, /SIGKILL/);
});

test('resource usage counts', async () => {
	const worker = await mediasoup.createWorker();
	const usage = await worker.getResourceUsage();
	assert.ok(usage.ru_maxrss > 1000, `${usage.ru_maxrss} KB`);
	assert.ok(usage.ru_utime + usage.ru_stime >= 0);
	await closeWorker(worker);
});
