// GUESTS=8 fills a room: people who are not there, so that one can see a full room by oneself. They are WebRTC peers of pion in one process
// (peer-tests/guest), which come by the page's address as any page does.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { spawn } from 'node:child_process';
import { guard } from '../lib/processes.js';

const PROGRAM = path.join(import.meta.dirname, '..', '..', 'build', 'guest');

// inviteGuests has as many guests come to the page at url, and returns their process. GUEST_BIN names the program, if it is elsewhere; with
// GUEST_LOSS=0.1, the last one loses a tenth of what it is sent.
export function inviteGuests(url, count, { GUEST_BIN: program = PROGRAM, GUEST_LOSS: loss = '0' } = process.env) {
	if (!fs.existsSync(program)) {
		throw new Error(`there are no guests at ${program}: go build -C peer-tests -o ${program} ./guest`);
	}
	const options = ['-count', count, '-loss', loss, ...(url.startsWith('https:') ? ['-insecure'] : [])];
	// It ends with its standard input, whatever becomes of this process.
	const guests = guard(spawn(program, [...options, url], { stdio: ['pipe', 'inherit', 'inherit'] }));
	guests.once('exit', code => code && console.error('the guests have left'));
	return guests;
}
