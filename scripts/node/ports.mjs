// Prints so many ports of 127.0.0.1 that are free, as are the next ones. ports.mjs COUNT
import * as net from 'node:net';

const listen = port => new Promise((resolve, reject) => {
	const server = net.createServer().once('error', reject);
	server.listen(port, '127.0.0.1', () => resolve(server));
});

const open = [];
const ports = [];
while (ports.length < Number(process.argv[2])) {
	const server = await listen(0);
	open.push(server);
	const { port } = server.address();
	try {
		open.push(await listen(port + 1));
		ports.push(port);
	} catch {
		// Another process has the next one.
	}
}
open.forEach(server => server.close());
console.log(ports.join(' '));
