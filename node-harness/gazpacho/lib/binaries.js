'use strict';
const { optionalDependencies } = require('../package.json');

const platform = `${process.platform}-${process.arch}`;

// findBinary returns the path of one of this platform's binaries. They are in a package for each platform, an optional dependency, of
// which npm installs the one that fits.
function findBinary(program) {
	const packages = Object.keys(optionalDependencies);
	const name = packages.find(name => name.endsWith(platform));
	if (!name) {
		throw missing(`there are no binaries of Gazpacho for ${platform}, only for ${packages.map(platformOf).join(', ')}. `
			+ 'It may be built from source (https://go.dev), and its path given as workerBin or in MEDIASOUP_WORKER_BIN.');
	}
	try {
		return require.resolve(`${name}/bin/${program}`);
	} catch (cause) {
		throw missing(`${name}, which has ${program} for this platform, is not installed. It is an optional dependency of `
			+ 'gazpacho: install without --omit=optional (--no-optional), and on the platform on which it is to run. '
			+ `If a lock file was made on another platform and lacks it, remove node_modules and the lock file once.`, cause);
	}
}

const platformOf = name => name.split(/[/-]/).slice(-2).join('-');

function missing(message, cause) {
	return Object.assign(new Error(message, { cause }), { code: 'NO_BINARY' });
}

module.exports = { findBinary };
