// Starts the conference and serves until it is interrupted. The environment says where: docs/conference.md.
import { inviteGuests } from './guests.js';
import { startNodes } from './local-nodes.js';
import { startConference } from './server/conference.js';
import { settings } from './server/settings.js';

const ROOM = 'demo';

const MAX_GUESTS = 15;

// guestsOf reads how many guests there are to be.
function guestsOf({ GUESTS: count = '' }) {
	if (!/^\d*$/.test(count) || Number(count) > MAX_GUESTS) {
		throw new Error(`GUESTS=${count}: a number up to ${MAX_GUESTS} is needed`);
	}
	return Number(count);
}

async function main() {
	const guests = guestsOf(process.env);
	const nodes = await startNodes(process.env);
	const conference = await startConference(settings(process.env));
	conference.worker.once('died', error => {
		console.error('the worker died:', error.message);
		process.exit(1);
	});
	const url = `${conference.url}${ROOM}`;
	if (guests > 0) {
		inviteGuests(url, guests);
	}
	console.log(`\nThe conference is at ${url}\nOpen it in several tabs. Ctrl-C ends it.\n`);
	if (nodes.length > 0) {
		const { GAZPACHO, GAZPACHO_CLUSTER, GAZPACHO_TLS_DIR } = process.env;
		console.log(`What its nodes do:\n${GAZPACHO} monitor --cluster ${GAZPACHO_CLUSTER} --tls-dir ${GAZPACHO_TLS_DIR}\n`);
	}
}

process.prependOnceListener('SIGINT', () => process.exit(0)); // that is how it should end
main().catch(error => {
	console.error(`error: ${error.message}`);
	process.exit(1);
});
