// Asks a worker for producers of other applications, as the npm package does (gazpacho/lib/ask.js), without what that makes of the answer.
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import * as readline from 'node:readline';

// runFolder is where workers listen.
function runFolder() {
	const { GAZPACHO_RUN_DIR, XDG_RUNTIME_DIR } = process.env;
	return GAZPACHO_RUN_DIR || (XDG_RUNTIME_DIR ? path.join(XDG_RUNTIME_DIR, 'gazpacho') : `/tmp/gazpacho-${os.userInfo().uid}`);
}

// askToImport asks the worker's front for another application's producer. It resolves with the answer, or rejects with an error that
// has a code.
export async function askToImport(worker, routerId, producerId) {
	const connection = net.connect(path.join(runFolder(), `${process.pid}.${worker.pid}.sock`));
	const lines = readline.createInterface({ input: connection });
	lines.on('error', () => {}); // the connection's, which it repeats
	const first = new Promise((resolve, reject) => {
		lines.once('line', line => resolve(JSON.parse(line)));
		connection.once('error', reject);
		connection.once('close', () => reject(new Error('the front has ended the connection')));
	});
	connection.write(`${JSON.stringify({ import: { routerId, producerId } })}\n`);
	const { import: answer, error } = await first;
	if (error) {
		throw Object.assign(new Error(error.message), { code: error.code });
	}
	return answer;
}
