#!/usr/bin/env node
'use strict';
// Runs the platform's gazpacho in its own process, with this one's arguments, streams and signals. A supervisor that has no need of npm
// starts the binary itself: require('gazpacho').nodeBin.
const { spawn } = require('node:child_process');
const { constants } = require('node:os');
const { findBinary } = require('../lib/binaries.js');

let program;
try {
	program = findBinary('gazpacho');
} catch (error) {
	console.error(`gazpacho: ${error.message}`);
	process.exit(1);
}
const child = spawn(program, process.argv.slice(2), { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
	process.on(signal, () => child.kill(signal));
}
child.on('error', error => {
	console.error(`gazpacho: ${error.message}`);
	process.exitCode = 1;
});
child.on('exit', (code, signal) => {
	process.exitCode = code ?? 128 + constants.signals[signal];
});
