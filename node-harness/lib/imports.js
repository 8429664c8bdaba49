// Imports producers of other applications: what the package "gazpacho" does for applications, for tests of the worker alone.
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
// has a code. Events come on the connection that is told with it.
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
	return { answer, connection, lines };
}

// importProducer makes another application's producer one of a Router, which pauses, resumes and closes with it.
export async function importProducer(worker, router, producerId) {
	const { answer: { id, kind, rtpParameters, paused }, connection, lines } = await askToImport(worker, router.id, producerId);
	const transport = await router.createPipeTransport({ listenInfo: { protocol: 'udp', ip: '127.0.0.1' } });
	const producer = await transport.produce({ id, kind, rtpParameters, paused });
	const follow = { paused: () => producer.pause(), resumed: () => producer.resume(), closed: () => transport.close() };
	let last = Promise.resolve();
	lines.on('line', line => {
		const { event } = JSON.parse(line);
		last = last.then(() => producer.closed || follow[event]());
	});
	connection.on('close', () => transport.close());
	producer.observer.on('close', () => {
		connection.end();
		transport.close();
	});
	return producer;
}
