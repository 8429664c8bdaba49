// Turns a copy of a mediasoup package into another release that npm does not have here, for run.sh: its version, and what else
// that release has on the wire.
//
// usage: emulate.mjs FOLDER RELEASE          edits the copy in the folder
//        emulate.mjs --package-for RELEASE   prints the release whose package is to be copied
import * as fs from 'node:fs';
import * as path from 'node:path';
import { compare } from './known-failures.mjs';

// A release of the future: all methods, events, bodies and header extensions have other numbers. The worker does not know it,
// and has to read the schema of its package.
const FUTURE = '3.99.0';

// Releases with a schema of their own, and what they are made of.
const MADE_OF = [
	{ first: '3.13.11', last: '3.13.13', release: '3.13.16', edit: withoutFlags },
	{ first: '3.23.0', last: '3.23.2', release: '3.24.1' }, // its ignoredSubchannel is absent unless given
];

const TABLE = path.join(import.meta.dirname, '..', 'fbs', 'schema', 'releases.txt');

function releases() {
	return fs
		.readFileSync(TABLE, 'utf8')
		.split('\n')
		.filter(line => line && !line.startsWith('#'))
		.map(line => {
			const [release, dialect, evidence] = line.split(' ');
			return { release, dialect, evidence };
		});
}

function madeOf(release) {
	return MADE_OF.find(m => compare(m.first, release) <= 0 && compare(release, m.last) <= 0);
}

// packageFor returns the release with the same schema that npm has: the nearest older one, or the first younger one.
function packageFor(release) {
	const all = releases();
	if (release === FUTURE) {
		return all.at(-1).release;
	}
	const known = all.find(r => r.release === release);
	if (!known || known.evidence === 'package') {
		return release;
	}
	const made = madeOf(release);
	if (made) {
		return made.release;
	}
	const same = all.filter(r => r.dialect === known.dialect && r.evidence === 'package');
	const older = same.filter(r => compare(r.release, release) < 0);
	return (older.at(-1) ?? same[0]).release;
}

// edit replaces parts of a file, each of which must be there.
function edit(file, ...replacements) {
	let text = fs.readFileSync(file, 'utf8');
	for (const [from, to] of replacements) {
		const edited = text.replaceAll(from, to);
		if (edited === text) {
			throw new Error(`${file} has no ${from}`);
		}
		text = edited;
	}
	fs.writeFileSync(file, text);
}

// withoutFlags lays listen infos out without socket flags.
function withoutFlags(folder) {
	edit(
		path.join(folder, 'node/lib/fbs/transport/listen-info.js'),
		['builder.startObject(7)', 'builder.startObject(6)'],
		['        ListenInfo.addFlags(builder, flags);\n', ''],
		['        builder.requiredField(offset, 12); // flags\n', ''],
		['builder.addFieldInt32(5, sendBufferSize', 'builder.addFieldInt32(4, sendBufferSize'],
		['builder.addFieldInt32(6, recvBufferSize', 'builder.addFieldInt32(5, recvBufferSize'],
	);
}

// What a release of the future renumbers: definitions of worker/fbs with their files in node/lib/fbs.
const RENUMBERED = [
	{ schema: 'request.fbs', kind: 'enum', name: 'Method', file: 'request/method.js' },
	{ schema: 'notification.fbs', kind: 'enum', name: 'Event', file: 'notification/event.js' },
	{ schema: 'rtpParameters.fbs', kind: 'enum', name: 'RtpHeaderExtensionUri', file: 'rtp-parameters/rtp-header-extension-uri.js' },
	{ schema: 'request.fbs', kind: 'union', name: 'Body', file: 'request/body.js' },
	{ schema: 'notification.fbs', kind: 'union', name: 'Body', file: 'notification/body.js' },
	{ schema: 'response.fbs', kind: 'union', name: 'Body', file: 'response/body.js' },
];

// renumber turns the order of all members around. The number 0 stays, as it is the default: an enum's first member, or none of a
// union.
function renumber(folder) {
	for (const { schema, kind, name, file } of RENUMBERED) {
		const schemaFile = path.join(folder, 'worker/fbs', schema);
		let count = 0;
		fs.writeFileSync(
			schemaFile,
			fs.readFileSync(schemaFile, 'utf8').replace(new RegExp(`(${kind} ${name}\\b[^{]*){([^}]*)}`), (_, head, body) => {
				const members = body.replace(/\/\/.*/g, '').split(',').map(m => m.trim()).filter(Boolean);
				const zero = kind === 'enum' ? [members.shift()] : [];
				count = members.length;
				return `${head}{\n    ${[...zero, ...members.reverse()].join(',\n    ')}\n}`;
			}),
		);
		const library = path.join(folder, 'node/lib/fbs', file);
		let replaced = 0;
		fs.writeFileSync(
			library,
			fs.readFileSync(library, 'utf8').replace(new RegExp(`(${name}\\[${name}\\["\\w+"\\] = )(\\d+)\\]`, 'g'), (all, before, number) => {
				replaced++;
				return number === '0' ? all : `${before}${count + 1 - Number(number)}]`;
			}),
		);
		if (count === 0 || replaced !== count + 1) {
			throw new Error(`${schema} has ${count} members of ${name} beside 0, ${file} ${replaced - 1}`);
		}
	}
}

const [first, release] = process.argv.slice(2);
if (first === '--package-for') {
	console.log(packageFor(release));
} else {
	edit(path.join(first, 'package.json'), [`"version": "${packageFor(release)}"`, `"version": "${release}"`]);
	madeOf(release)?.edit?.(first);
	if (release === FUTURE) {
		renumber(first);
	}
}
