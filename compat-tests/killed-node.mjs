// Excuses tests that ran while a node was killed (KILL=…) and failed with what killed-node.txt lists.
import * as fs from 'node:fs';
import * as path from 'node:path';

const FILE = path.join(import.meta.dirname, 'killed-node.txt');
// A front has done all that follows from the end of a node some time after the node is back.
const AFTERMATH_MS = 2000;

const lines = file => fs.readFileSync(file, 'utf8').split('\n').filter(line => line && !line.startsWith('#'));

// absences returns when nodes were away, as [from, to] in milliseconds. The last one may be still.
function absences(file) {
	const times = lines(file).map(line => line.split(' ')).map(([at, what]) => ({ at: Number(at), what }));
	return times.flatMap(({ at, what }, i) => (what === 'killed' ? [[at, (times[i + 1]?.at ?? Infinity) + AFTERMATH_MS]] : []));
}

// Excuses are for one run: kills is the file of scripts/nodes.sh that says when nodes were killed.
export class Excuses {
	#reasons = lines(FILE).map(line => {
		const [text, reason] = line.split(' | ');
		if (!text || !reason) {
			throw new Error(`${FILE}: not an entry: ${line}`);
		}
		return text;
	});

	constructor(kills) {
		this.kills = kills;
	}

	// count is how often a node was killed.
	get count() {
		return absences(this.kills).length;
	}

	// excused returns those of a suite's tests, with { name, failure }, which may have failed. times is the file of times.cjs.
	excused(tests, times) {
		const away = absences(this.kills);
		const begun = lines(times).map(line => JSON.parse(line));
		return tests.filter(({ name, failure }) => {
			const i = begun.findIndex(test => test.name === name);
			const [from, to] = [begun[i]?.begun ?? Infinity, begun[i + 1]?.begun ?? Infinity];
			return this.#reasons.some(text => failure.includes(text)) && away.some(([killed, back]) => killed < to && from < back);
		});
	}
}
