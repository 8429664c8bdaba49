// import('gazpacho/conference') serves a conference to browsers, on this worker, until it is interrupted. The package of a release has it from
// the demo; the environment says where: LISTEN, ANNOUNCED_ADDRESS, MEDIA_PORT, TLS_CERT, TLS_KEY.
const NEEDED = ['mediasoup', 'mediasoup-client', 'esbuild', 'ws']; // which an application installs itself, if it wants this

function isMissing(name) {
	try {
		import.meta.resolve(name);
		return false;
	} catch {
		return true;
	}
}

async function main() {
	const missing = NEEDED.filter(isMissing);
	if (missing.length > 0) {
		throw new Error(`not installed: ${missing.join(', ')}. Run: npm install --ignore-scripts ${missing.join(' ')}`);
	}
	process.env.MEDIASOUP_WORKER_BIN ??= (await import('../index.mjs')).workerBin; // before mediasoup is loaded
	const [{ startConference }, { settings }] = await Promise.all([import('./server/conference.js'), import('./server/settings.js')]);
	const { url, worker } = await startConference(settings(process.env));
	worker.once('died', fail);
	console.log(`The conference is at ${url}demo\nOpen it in several tabs. Ctrl-C ends it.`);
}

function fail({ message }) {
	console.error(`error: ${message}`);
	process.exit(1);
}

// That is how it should end. mediasoup listens to these signals too, so that they would end its worker alone.
['SIGINT', 'SIGTERM'].forEach(signal => process.prependOnceListener(signal, () => process.exit(0)));
main().catch(fail);
