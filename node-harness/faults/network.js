// Hosts of their own for nodes and applications: a network namespace each, joined by routes through the one that the suite runs in. The suite has to
// be started in a namespace where it may do that (scripts/faults.sh).
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { within } from '../lib/wait.js';

const SUITE = '10.77.0.1';
const addressOf = n => `10.77.${n}.2`;
const gatewayOf = n => `10.77.${n}.1`;

// A node's process waits in its namespace for the line with its addresses, and goes on as the node.
const ENTER = 'echo ready && read address gateway && ip link set lo up && ip address add "$address/24" dev eth0 && ' +
	'ip link set eth0 up && ip route add default via "$gateway" && exec "$@"';

const ip = (...args) => execFileSync('ip', args);

// forget removes the link to a namespace whose processes have ended: the kernel does that too, a while later.
function forget(link) {
	try {
		execFileSync('ip', ['link', 'delete', link], { stdio: 'ignore' });
	} catch {
		// There is none, which is what is wanted.
	}
}

export class Network {
	host = SUITE; // the suite's address
	#names = [];
	#cut = [];

	constructor() {
		ip('link', 'set', 'lo', 'up');
		ip('address', 'add', `${SUITE}/32`, 'dev', 'lo');
		fs.writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
	}

	// address returns the address of the host of that name.
	address(name) {
		if (!this.#names.includes(name)) {
			this.#names.push(name);
		}
		return addressOf(this.#names.indexOf(name) + 1);
	}

	// spawn is child_process.spawn for the process of a host, which ends with it.
	async spawn(address, command, args, { stdio: [, , stderr, ...more], ...options }) {
		const n = this.#names.findIndex(name => this.address(name) === address) + 1;
		const child = spawn('unshare', ['--net', 'sh', '-c', ENTER, 'sh', command, ...args], { ...options, stdio: ['pipe', 'pipe', stderr, ...more] });
		await within('a namespace', new Promise(resolve => child.stdout.once('data', resolve)));
		const link = `host${n}`;
		forget(link);
		ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(child.pid));
		ip('address', 'add', `${gatewayOf(n)}/24`, 'dev', link);
		ip('link', 'set', link, 'up');
		child.stdin.end(`${address} ${gatewayOf(n)}\n`);
		return child;
	}

	// cut loses everything between hosts of one side and hosts of the other, by their addresses, silently.
	cut(one, other) {
		this.#cut = one.flatMap(a => other.flatMap(b => [['from', a, 'to', b], ['from', b, 'to', a]]));
		this.#cut.forEach(way => ip('rule', 'add', 'priority', '10', ...way, 'blackhole'));
	}

	// mend undoes all cuts.
	mend() {
		this.#cut.splice(0).forEach(way => ip('rule', 'delete', 'priority', '10', ...way, 'blackhole'));
	}
}
