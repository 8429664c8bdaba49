// The people with browsers: a process (peer-tests/crowd) in which pion/webrtc stands in for them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as readline from 'node:readline';
import { guard } from '../lib/processes.js';
import { within } from '../lib/wait.js';

export class Crowd {
	#answers = new Map(); // what waits for them, by the number of the request
	#last = 0;

	constructor(binary) {
		this.child = guard(spawn(binary, { stdio: ['pipe', 'pipe', 'inherit'] }));
		readline.createInterface({ input: this.child.stdout }).on('line', line => {
			const { id, error, ...outcome } = JSON.parse(line);
			const { resolve, reject } = this.#answers.get(id);
			this.#answers.delete(id);
			if (error) {
				reject(new Error(error));
			} else {
				resolve(outcome);
			}
		});
	}

	ask(request) {
		if (this.child.stdin.writableEnded) {
			return Promise.reject(new Error('the crowd has gone'));
		}
		const id = ++this.#last;
		const answered = new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
		this.child.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
		return within(`the crowd: ${request.do}`, answered);
	}

	async end() {
		const ended = once(this.child, 'exit');
		this.child.stdin.end();
		await ended;
	}
}

// remoteOf describes a transport to a person; over TCP if they want it.
export function remoteOf({ iceParameters, iceCandidates, dtlsParameters }, tcp) {
	const protocol = tcp ? 'tcp' : 'udp';
	const { usernameFragment, password } = iceParameters;
	const { foundation, priority, address, port } = iceCandidates.find(candidate => candidate.protocol === protocol);
	return {
		usernameFragment, password, fingerprint: dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === 'sha-256').value,
		candidate: { foundation, priority, address, port, protocol },
	};
}
