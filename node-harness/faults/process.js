// The process of an application, which the suite has do things and is told events by (commands.js).
import { spawn } from 'node:child_process';
import { guard } from '../lib/processes.js';
import { within } from '../lib/wait.js';

const STDIO = ['ignore', 'inherit', 'inherit', 'ipc'];

export class Application {
	#calls = new Map();
	#lastId = 0;

	// start runs a file with variables of the environment. A network gives it a host, by its address.
	static async start(file, environment, onEvent, network, address) {
		const options = { stdio: STDIO, env: { ...process.env, ...environment } };
		const child = network ? await network.spawn(address, process.execPath, [file], options) : spawn(process.execPath, [file], options);
		return new Application(child, onEvent);
	}

	constructor(child, onEvent) {
		this.child = guard(child);
		this.ended = new Promise(resolve => this.child.once('exit', resolve));
		this.child.on('message', ({ id, result, error, event }) => {
			if (event) {
				onEvent(event);
				return;
			}
			const { resolve, reject } = this.#calls.get(id);
			this.#calls.delete(id);
			if (error) {
				reject(new Error(error));
			} else {
				resolve(result);
			}
		});
	}

	call(command, args) {
		const id = ++this.#lastId;
		const answered = new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
		this.child.send({ id, command, args });
		return within(`the application: ${command}`, answered, 120_000);
	}

	kill() {
		this.child.kill('SIGKILL');
		return this.ended;
	}
}
