// Lets a fault happen to a scene, and says what came of it: lines for the golden list, and figures, which differ from run to run.
import { setTimeout as pause } from 'node:timers/promises';
import { PATIENCE_MS, until } from '../lib/wait.js';
import { idleAgain } from './idle.js';
import { NAMES } from './scene.js';

const LOST_MS = 31_000 + PATIENCE_MS; // a silent node is given up after its lease
const MAX_DELAY_MS = 500; // before the fault
const PAIRS = NAMES.flatMap(name => NAMES.filter(other => other !== name).map(other => [name, other]));

// observe returns { lines, figures }: figures are numbers by what they are, times in seconds.
export async function observe(scene, fault, random) {
	await scene.record();
	await pause(random() * MAX_DELAY_MS);
	const begun = performance.now();
	scene.note('the fault begins');
	await fault.strike(scene, random);
	const outcome = await (fault.ends ? afterTheEnd(scene, fault) : aftermath(scene, fault, begun));
	return {
		figures: outcome.figures,
		lines: [`# ${fault.about}`, ...outcome.lines, ...IDLE],
	};
}

const section = (title, lines) => (lines.length > 0 ? ['', `${title}:`, ...lines.map(line => `  ${line}`)] : []);
// IDLE is what holds for all faults: nothing is left over.
export const IDLE = section('When the application has ended', [
	'every node that runs holds as many goroutines, descriptors, sockets and ports as when it was started',
]);

const secondsSince = begun => (performance.now() - begun) / 1000;

// afterTheEnd is for faults that end the application.
async function afterTheEnd(scene, fault) {
	const begun = performance.now();
	await isIdle(scene);
	return { figures: { 'all nodes are idle after': secondsSince(begun) }, lines: [...told(scene, fault), ...sessions(scene)] };
}

// aftermath waits until everybody hears everybody again, and ends the application.
async function aftermath(scene, fault, begun) {
	if (fault.lost) {
		await scene.lost('Ann', LOST_MS);
	}
	const load = await scene.application.call('stopLoad');
	if (!fault.lost) {
		await scene.steady();
	}
	const figures = { requests: load.total, 'requests refused': load.refused, 'slowest answer': load.slowest / 1000, ...gaps(scene) };
	const lines = [...sound(scene, fault)];
	if (fault.lost || fault.again) {
		if (fault.back) {
			await scene.serve([scene.nodeOf('Ann')]);
		}
		await scene.comeAgain('Ann');
		await scene.steady();
		await fault.mend?.(scene);
		figures['everybody hears Ann again after'] = secondsSince(begun);
		lines.push(...section('Afterwards', ['Ann comes again; everybody hears and sees everybody']));
	}
	if (!fault.detour && (!fault.lost || fault.back)) {
		await holdsAsBefore(scene);
		lines.push(...section('Nodes', ['all hold as many objects as before']));
	}
	lines.unshift(...told(scene, fault), ...answered(scene, load), ...sessions(scene));
	await scene.application.call('close');
	await isIdle(scene);
	return { figures, lines };
}

function told(scene, fault) {
	const events = scene.eventsByObject(fault.varies);
	return section('What the application is told', events.length > 0 ? events : ['nothing']);
}

// answered lists the answers to the requests of each person, with names in place of addresses. Whether a request was under way when the
// node's end became known, which has a text of its own, is a matter of timing.
function answered(scene, { answers }) {
	const nodes = NAMES.map(name => [`node ${scene.addressOf(name)}`, `${name}'s node`]);
	const plain = text => nodes.reduce((all, [address, name]) => all.replaceAll(address, name), text).replace(/ \[method:.*?\]/, '');
	const once = name => new Set(answers[name].map(text => plain(text).replace('the node does not answer any more:', `${name}'s node is gone:`)));
	return section('Requests', NAMES.map(name => `${name}: ${[...once(name)].sort().join('; ')}`));
}

// sessions lists what the nodes say of the application's sessions.
function sessions(scene) {
	return section('Sessions that have ended', NAMES.flatMap(name => {
		const ends = scene.logOf(scene.nodeOf(name)).matchAll(/msg="a front's session is over".* reason="(.*)"/g);
		return [...ends].map(([, reason]) => `${name}'s node: ${reason}`);
	}));
}

const ear = (scene, [listener, speaker]) => scene.people.get(listener).hears.get(speaker);

// sound says between whom packets were lost though the fault was elsewhere.
function sound(scene, fault) {
	const unharmed = PAIRS.filter(pair => fault.unharmed(...pair));
	if (unharmed.length === 0) {
		return [];
	}
	const harmed = unharmed.filter(pair => ear(scene, pair).lost > 0).map(pair => `${pair.join(' hears ')}: ${ear(scene, pair).lost} packets lost`);
	const all = unharmed.length === PAIRS.length ? 'all' : unharmed.map(pair => pair.join(' hears ')).join(', ');
	return section('Sound', harmed.length > 0 ? harmed : [`nothing is lost (${all})`]);
}

// gaps returns the figures of sound, and which packets are missing between others that arrived.
function gaps(scene) {
	const of = (what, figure) => PAIRS.map(pair => [`${pair.join(' hears ')}, ${what}`, figure(ear(scene, pair))]);
	return Object.fromEntries([
		...of('longest gap', heard => heard.gap() / 1000), ...of('packets lost', heard => heard.lost).filter(([, lost]) => lost > 0),
	]);
}

// holdsAsBefore waits until the nodes hold as many objects as before the fault; a relay that is used no more stays for a while.
async function holdsAsBefore(scene) {
	const before = JSON.stringify(scene.objects);
	let now;
	await until('all nodes hold what they held before', async () => (now = JSON.stringify(await scene.countObjects())) === before, { interval: 200 }).catch(error => {
		throw new Error(`${error.message}\nbefore: ${before}\nnow: ${now}`);
	});
}

// isIdle waits until no node that runs holds anything of the application.
function isIdle(scene) {
	const running = scene.nodes.filter(({ child }) => child.exitCode === null && child.signalCode === null);
	return idleAgain(scene.idle, () => scene.holdings(running));
}
