// The page and its WebSocket, over HTTP on this machine and over HTTPS elsewhere.
import * as http from 'node:http';
import * as https from 'node:https';
import { WebSocketServer } from 'ws';
import { Connection, MAX_MESSAGE_BYTES } from './connection.js';
import { Crowd } from './crowd.js';

const SIGNALLING = '/signalling';
const PING_MS = 5000;
const MAX_STRANGERS = 256; // connections of who is in no room: a page has one, and some more while it loads
const HEADERS = {
	'cache-control': 'no-cache',
	'content-security-policy': "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; frame-ancestors 'none'",
	'referrer-policy': 'no-referrer',
	'x-content-type-options': 'nosniff',
};

// serve listens and returns { port, close }. files are { path: { type, body } }; every room's address shows the page.
export async function serve({ host, port, certificate, files, rooms }) {
	const answer = (request, response) => respond(files, request, response);
	const server = certificate ? https.createServer(certificate, answer) : http.createServer(answer);
	const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
	const strangers = new Crowd(MAX_STRANGERS);
	server.on('connection', socket => strangers.enter(socket));
	server.on('upgrade', (request, socket, head) => {
		if (request.url !== SIGNALLING || !isOwnPage(request)) {
			refuse(socket);
			return;
		}
		const { remoteAddress, remotePort } = socket;
		sockets.handleUpgrade(request, socket, head, webSocket => {
			keepAlive(webSocket);
			new Connection(webSocket, rooms, () => strangers.leave(remoteAddress, remotePort));
		});
	});
	await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
	const close = () => new Promise(resolve => {
		server.close(resolve);
		server.closeAllConnections();
		sockets.clients.forEach(client => client.terminate());
	});
	return { port: server.address().port, close };
}

function respond(files, { method, url }, response) {
	const path = url.split('?')[0];
	const file = files[path] ?? (/^\/[a-z0-9-]*$/.test(path) ? files['/'] : undefined);
	if (!file || !['GET', 'HEAD'].includes(method)) {
		response.writeHead(file ? 405 : 404, { ...HEADERS, 'content-type': 'text/plain' }).end(file ? 'GET only\n' : 'There is nothing here.\n');
		return;
	}
	response.writeHead(200, { ...HEADERS, 'content-type': file.type }).end(method === 'HEAD' ? undefined : file.body);
}

// refuse ends a connection that was to become a WebSocket. Nothing else listens to its errors, and nobody waits for its other end.
function refuse(socket) {
	socket.on('error', () => {});
	socket.end('HTTP/1.1 403 Forbidden\r\n\r\n', () => socket.destroy());
}

// isOwnPage: browsers let any page open a WebSocket to any server, and say which page it was (RFC 6455, 10.2). Other programs
// send no Origin.
function isOwnPage({ headers: { origin, host } }) {
	return origin === undefined || URL.parse(origin)?.host === host;
}

// keepAlive ends a connection whose other end has gone without a word, such as a phone out of range.
function keepAlive(socket) {
	let alive = true;
	socket.on('pong', () => (alive = true));
	const timer = setInterval(() => {
		if (!alive) {
			socket.terminate();
			return;
		}
		alive = false;
		socket.ping();
	}, PING_MS);
	socket.once('close', () => clearInterval(timer));
}
