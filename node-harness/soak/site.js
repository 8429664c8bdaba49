// What a soak test runs: applications, each with a worker and a crowd, and the nodes of their cluster.
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createApplication, createCertificates, killNode, startNode } from '../lib/nodes.js';
import { until } from '../lib/wait.js';
import { Application } from '../faults/process.js';
import { Cluster } from '../faults/rooms/cluster.js';
import { Census } from './census.js';

const FILE = path.join(import.meta.dirname, 'application.js');
const NODES = ['a', 'b', 'c'];
const TENANT = 'town';
const EXCHANGE_MS = 500;
const PATIENCE_MS = 120_000; // the longest that anything outlives its room: what a lost session held, imports, links to lost nodes
const SETTLE_LOOKS = 75; // 15 s: relays that are not used any more stay for a while
const LOOK_MS = 200;

// MODES are what there is besides the applications, and how many there are of these (count). unstable is a node that is killed and started again.
export const MODES = {
	worker: { count: 1, ip: '127.0.0.1' },
	nodes: { count: 1, ip: '0.0.0.0', hasNodes: true },
	cluster: { count: 2, ip: '0.0.0.0', hasNodes: true, bus: ['a', 'b'], unstable: 'c' },
};

export class Site {
	applications = [];
	nodes = [];
	restarts = 0;

	static async open(mode, { folder, crowd, seed }) {
		const site = new Site();
		Object.assign(site, MODES[mode], { folder, tls: path.join(folder, 'tls') });
		site.folders = fs.mkdtempSync(path.join(os.tmpdir(), 'gazpacho-soak-')); // sockets have short names
		['metrics', 'pprof', 'run'].forEach(name => fs.mkdirSync(path.join(site.folders, name), { mode: 0o700 }));
		try {
			if (site.hasNodes) {
				await site.#startNodes();
			}
			for (let i = 0; i < site.count; i++) {
				await site.#startApplication(`app${i + 1}`, crowd, seed + i);
			}
		} catch (error) {
			site.end();
			throw error;
		}
		return site;
	}

	get #shown() {
		return ['metrics', 'pprof'].map(name => [name, `unix:${path.join(this.folders, name)}`]);
	}

	async #startNodes() {
		createCertificates(this.tls, NODES);
		const options = this.#shown.flatMap(([name, where]) => [`--${name}`, where]);
		if (this.bus) {
			this.cluster = await Cluster.open({ names: NODES, bus: this.bus, tls: this.tls, folder: this.folder, options });
			this.nodes = this.cluster.nodes;
			return;
		}
		for (const [i, name] of NODES.entries()) {
			this.nodes.push(await startNode(name, `127.0.2.${i + 1}`, this.tls, this.folder, 0, undefined, options));
		}
	}

	async #startApplication(name, crowd, seed) {
		const environment = {
			GAZPACHO_RUN_DIR: path.join(this.folders, 'run'), ...Object.fromEntries(this.#shown.map(([what, where]) => [`GAZPACHO_${what.toUpperCase()}`, where])),
		};
		if (this.nodes.length > 0) {
			createApplication(this.tls, name, TENANT);
			Object.assign(environment, {
				GAZPACHO_CLUSTER: this.nodes.map(({ address }) => address).join(','), GAZPACHO_TLS_DIR: this.tls, GAZPACHO_NAME: name,
				GAZPACHO_PLACEMENT: 'spread',
			});
		}
		const application = await Application.start(FILE, environment);
		application.ended.then(code => this.ending || console.error(`application ${name} has ended: ${code}`));
		const worker = await application.call('open', { crowd, ip: this.ip, seed });
		this.applications.push(Object.assign(application, { name, worker }));
	}

	// processes are a Census for each worker and node that lives.
	get processes() {
		return [
			...this.applications.map(({ name, worker }) => new Census(`worker of ${name}`, worker, this.folders)),
			...this.nodes.map(({ name, child }) => new Census(`node ${name}`, child.pid, this.folders)),
		];
	}

	// live has rooms live for a while; a node that is not stable may be started again in the middle.
	async live(seconds, rate, restart) {
		const lives = this.applications.map(application => application.call('live', { seconds, rate }));
		await Promise.all([...lives, this.#exchange(Promise.all(lives)), restart && this.unstable && this.#restart(seconds)]);
	}

	// #exchange tells each application of the others' producers.
	async #exchange(living) {
		let lives = true;
		living.finally(() => (lives = false)).catch(() => {});
		const origins = this.applications.map(() => []);
		while (lives && this.applications.length > 1) {
			for (const [i, application] of this.applications.entries()) {
				origins[i] = await application.call('exchange', { foreign: origins.filter((_, j) => j !== i).flat() });
			}
			await pause(EXCHANGE_MS);
		}
	}

	async #restart(seconds) {
		const node = this.nodes.find(({ name }) => name === this.unstable);
		await pause(seconds * 300);
		await killNode(node);
		await pause(seconds * 100);
		await this.cluster.start(node);
		this.restarts++;
	}

	// empty closes everything but the towns' homes.
	async empty() {
		await Promise.all(this.applications.map(application => application.call('empty')));
	}

	// settled returns the least that each process has of what is counted: when that is no more than it was, if that is known, or else when it
	// has not become less for a while.
	async settled(before) {
		const least = {};
		let same = 0;
		await until('the processes are quiet', async () => {
			const was = JSON.stringify(least);
			for (const process of this.processes) {
				const counts = await process.counts();
				least[process.name] ??= counts;
				Object.entries(counts).forEach(([what, count]) => (least[process.name][what] = Math.min(least[process.name][what], count)));
			}
			same = JSON.stringify(least) === was ? same + 1 : 0;
			return before ? noMoreThan(least, before) : same >= SETTLE_LOOKS;
		}, { timeout: PATIENCE_MS, interval: LOOK_MS }).catch(() => {});
		return least;
	}

	// files returns how many entries the folders have that processes share.
	get files() {
		return fs.readdirSync(this.folders, { recursive: true }).length + (this.nodes.length > 0 ? fs.readdirSync(this.tls).length : 0);
	}

	async close() {
		this.ending = true;
		await Promise.all(this.applications.map(application => application.call('close')));
		this.end();
	}

	end() {
		this.ending = true;
		this.applications.forEach(application => application.kill());
		this.nodes.forEach(({ child }) => child?.kill('SIGKILL'));
		fs.rmSync(this.folders, { recursive: true, force: true });
	}
}

const noMoreThan = (now, before) => Object.entries(now).every(([name, counts]) =>
	Object.entries(counts).every(([what, count]) => count <= (before[name]?.[what] ?? 0)));
