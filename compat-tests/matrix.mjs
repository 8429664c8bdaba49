// Prints the results of matrix.sh: "matrix.mjs FOLDER RELEASE" of one release, "matrix.mjs FOLDER --total RELEASE…" the sum.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { entries, knownFailures } from './known-failures.mjs';

const [folder, ...args] = process.argv.slice(2);

function summary(release) {
	const file = path.join(folder, release, 'results', 'summary.json');
	return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined;
}

function printRelease(release) {
	const s = summary(release);
	if (!s) {
		console.log(`${release.padEnd(10)} did not run; see ${path.join(folder, `matrix-${release}.log`)}`);
		return;
	}
	const known = knownFailures(release);
	const excepted = s.failed.filter(test => known.has(test.id)).length;
	const note = excepted > 0 ? `, ${excepted} known failures` : '';
	console.log(`${release.padEnd(10)} ${String(s.passed).padStart(4)} / ${s.total}${note}${s.problems.length > 0 ? '  ✗' : ''}`);
	s.problems.forEach(problem => console.log(`    ${problem}`));
}

function printTotal(releases) {
	const all = releases.map(summary).filter(Boolean);
	const sum = key => all.reduce((total, s) => total + s[key], 0);
	const problems = all.reduce((total, s) => total + s.problems.length, 0) + releases.length - all.length;
	console.log(`${String(releases.length).padEnd(10)} releases: ${sum('passed')} / ${sum('total')}`);
	// Every known failure that is no matter of chance must really fail somewhere.
	for (const entry of entries().filter(e => !e.mode)) {
		const ran = all.filter(s => knownFailures(s.release).has(entry.id));
		if (ran.length > 0 && ran.every(s => !s.failed.some(test => test.id === entry.id))) {
			console.log(`remove from known-failures.txt, it passes or no longer exists: ${entry.id}`);
		}
	}
	console.log(`${sum('passed')} passed, ${problems} failed`);
}

if (args[0] === '--total') {
	printTotal(args.slice(1));
} else {
	printRelease(args[0]);
}
