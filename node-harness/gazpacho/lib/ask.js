'use strict';
// How this process asks its workers for an import: by the unix sockets on which those in a cluster listen, a connection for each
// import, with a JSON object on each line.
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { ImportError } = require('./errors.js');

const MAX_LINE = 64 << 10;
const NEW_LINE = 0x0a;
const CODES = ['ROUTER_NOT_FOUND', 'PRODUCER_NOT_FOUND', 'UNSUPPORTED', 'BUSY', 'FAILED'];

// ask asks all workers, as only the one that has the Router knows that. The answer is its offer, the events that follow, and the socket
// that they come by; or an ImportError. Whoever does not want the answer any more drops the question.
function ask(request) {
	const sockets = new Set();
	const drop = () => sockets.forEach(socket => socket.destroy());
	const keep = conversation => {
		sockets.delete(conversation.socket);
		drop();
		sockets.add(conversation.socket);
		return conversation;
	};
	return { answer: answerOf(request, sockets).then(keep), drop };
}

async function answerOf(request, sockets) {
	const conversations = ownSockets().map(name => converse(name, request, sockets));
	const { error, ...conversation } = await Promise.any(conversations).catch(notFound);
	if (error) {
		throw error;
	}
	return conversation;
}

// converse resolves when a worker has answered that the Router is its own: with its offer or with the error. It rejects for any other
// worker, and for one that is gone and has left its socket.
async function converse(name, request, sockets) {
	const socket = net.connect(name);
	sockets.add(socket);
	socket.write(`${JSON.stringify({ import: request })}\n`);
	const events = messages(socket);
	const { value: answer } = await events.next();
	const error = answer?.import ? mistakeIn(answer.import, request) : errorOf(answer?.error);
	if (!answer || error?.code === 'ROUTER_NOT_FOUND') {
		throw error;
	}
	return { offer: answer.import, events, socket, error };
}

// messages yields what a worker says until it, or this side, ends the connection.
async function* messages(socket) {
	let rest = Buffer.alloc(0);
	for await (const chunk of socket) {
		rest = Buffer.concat([rest, chunk]);
		for (let end; (end = rest.indexOf(NEW_LINE)) >= 0; rest = rest.subarray(end + 1)) {
			yield parse(rest.subarray(0, end));
		}
		if (rest.length > MAX_LINE) {
			throw new ImportError('FAILED', `the worker's answer is longer than ${MAX_LINE} bytes`);
		}
	}
}

function parse(line) {
	try {
		return Object(JSON.parse(line));
	} catch (cause) {
		throw new ImportError('FAILED', 'the worker\'s answer is no JSON', { cause });
	}
}

// mistakeIn returns what is wrong with an offer, as far as mediasoup's library does not check it.
function mistakeIn({ id, paused, ...offer }, { dataProducerId }) {
	const right = typeof id === 'string' && id !== '' && typeof paused === 'boolean' && (dataProducerId ? isData(offer) : isMedia(offer));
	return right ? undefined : new ImportError('FAILED', 'the worker\'s answer lacks something');
}

const isMedia = ({ kind, rtpParameters }) => typeof kind === 'string' && isObject(rtpParameters);
const isData = ({ sctpStreamParameters, label, protocol }) =>
	isObject(sctpStreamParameters) && typeof label === 'string' && typeof protocol === 'string';
const isObject = value => Object(value) === value;

function errorOf({ code, message } = {}) {
	return new ImportError(CODES.includes(code) ? code : 'FAILED', String(message ?? 'the worker gave no answer'));
}

// notFound says why no worker has answered for the Router.
function notFound({ errors }) {
	const failure = errors.find(({ code }) => code === 'FAILED');
	throw failure ?? new ImportError('ROUTER_NOT_FOUND', 'no worker of this process that is in a cluster has the Router: the worker must be '
		+ `Gazpacho's, with GAZPACHO_CLUSTER in its environment (asked: ${errors.length}, in ${runFolder()})`);
}

// ownSockets returns the sockets of this process's workers. Their names begin with its process id.
function ownSockets() {
	const folder = runFolder();
	const owner = fs.lstatSync(folder, { throwIfNoEntry: false });
	if (!owner) {
		return [];
	}
	if (owner.uid !== process.getuid() || (owner.mode & 0o077) !== 0) {
		throw new ImportError('FAILED', `${folder} must belong to the user of this process, with mode 0700: others could answer there`);
	}
	return fs.readdirSync(folder).filter(name => name.startsWith(`${process.pid}.`) && name.endsWith('.sock')).map(name => path.join(folder, name));
}

// runFolder is where the workers' sockets are.
function runFolder() {
	const { GAZPACHO_RUN_DIR, XDG_RUNTIME_DIR } = process.env;
	return GAZPACHO_RUN_DIR || (XDG_RUNTIME_DIR ? path.join(XDG_RUNTIME_DIR, 'gazpacho') : `/tmp/gazpacho-${process.getuid()}`);
}

module.exports = { ask };
