// Child processes that never outlive this one.
import { spawn } from 'node:child_process';

const living = new Set();

process.on('exit', () => living.forEach(child => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) {
	process.once(signal, () => process.exit(1));
}

// guard has a child process end with this one.
export function guard(child) {
	living.add(child);
	child.once('exit', () => living.delete(child));
	return child;
}

// start runs a command and returns { child, done, output }: done resolves with { code, signal } when it has ended; output()
// returns what it has written to stdout and stderr so far.
export function start(command, args, { stdin = 'ignore' } = {}) {
	const child = guard(spawn(command, args, { stdio: [stdin, 'pipe', 'pipe'] }));
	const chunks = [];
	child.stdout.on('data', chunk => chunks.push(chunk));
	child.stderr.on('data', chunk => chunks.push(chunk));
	const done = new Promise((resolve, reject) => {
		child.once('error', reject);
		child.once('close', (code, signal) => resolve({ code, signal }));
	});
	return { child, done, output: () => Buffer.concat(chunks).toString('utf8') };
}

// run is start for commands that must succeed; it returns their output.
export async function run(command, args) {
	const { done, output } = start(command, args);
	const { code, signal } = await done;
	if (code !== 0) {
		throw new Error(`${command} ${args.join(' ')} failed (${signal ?? code}):\n${output()}`);
	}
	return output();
}
