// Starts the conference and serves until it is interrupted. The environment says where: docs/conference.md.
import { addGuests } from './guests.js';
import { startNodes } from './local-nodes.js';
import { startConference } from './server/conference.js';
import { settings } from './server/settings.js';

const ROOM = 'demo';

async function main() {
	await startNodes(process.env);
	const conference = await startConference(settings(process.env));
	conference.worker.once('died', error => {
		console.error('the worker died:', error.message);
		process.exit(1);
	});
	await addGuests(conference.rooms, ROOM, Number(process.env.GUESTS ?? 0));
	console.log(`\nThe conference is at ${conference.url}${ROOM}\nOpen it in several tabs. Ctrl-C ends it.\n`);
}

process.prependOnceListener('SIGINT', () => process.exit(0)); // that is how it should end
main().catch(error => {
	console.error(`error: ${error.message}`);
	process.exit(1);
});
