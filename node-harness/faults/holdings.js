// What a process holds of the system, as Linux tells it.
import * as fs from 'node:fs';

// holdings returns how many descriptors a process has and on which ports it receives, by protocol.
export function holdings(pid) {
	const links = fs.readdirSync(`/proc/${pid}/fd`).map(fd => {
		try {
			return fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
		} catch {
			return undefined; // closed since
		}
	}).filter(Boolean);
	const sockets = new Set(links.map(link => /^socket:\[(\d+)\]$/.exec(link)?.[1]).filter(Boolean));
	return { descriptors: links.length, sockets: sockets.size, udp: ports(pid, 'udp', sockets), tcp: ports(pid, 'tcp', sockets) };
}

// ports reads the table of a protocol: the local address is the second column, the socket's inode the tenth (proc_net_tcp(5)).
function ports(pid, protocol, sockets) {
	const rows = ['', '6'].flatMap(version => {
		const file = `/proc/${pid}/net/${protocol}${version}`;
		return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n').slice(1) : [];
	});
	return rows.map(row => row.trim().split(/\s+/))
		.filter(columns => sockets.has(columns[9]))
		.map(columns => parseInt(columns[1].split(':')[1], 16))
		.sort((a, b) => a - b);
}
