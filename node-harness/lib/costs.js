// What processes cost, as Linux tells it.
import fs from 'node:fs';

// residentKB is the resident memory of a process, in KB.
export function residentKB(pid) {
	return Number(/^VmRSS:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

// cpuUs is the CPU time of the threads of a process in microseconds; getResourceUsage() only has milliseconds.
export function cpuUs(pid) {
	const tasks = `/proc/${pid}/task`;
	return fs.readdirSync(tasks).reduce((sum, task) => {
		try {
			return sum + Number(fs.readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]) / 1000;
		} catch {
			return sum; // a thread that ended
		}
	}, 0);
}
