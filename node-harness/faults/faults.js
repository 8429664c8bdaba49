// The faults. Each has
//
//   about     what happens, as the golden list says it
//   quick     it is part of `make test`: it needs no long wait
//   network   its nodes have network namespaces of their own
//   proxies   the application reaches the nodes by relays, which can break connections
//   strike    does it to a scene
//   lost      Ann's transports are lost by it: she comes again, with new ones
//   back      her node takes transports again after it
//   ends      the application ends by it
//   chained   each node feeds a stream to one other node, which feeds the next: Ann's is in the middle
//   joined    the nodes find each other by a bus, which is a process of its own, and the application is told one of them
//   again     Ann comes again before it is over, with new transports, which others subscribe to
//   mend      undoes it
//   detour    relays go through another node from then on, so that nodes hold others than before
//   varies    whether an event is a matter of timing, and so is not compared
//   unharmed  whether sound from one person to another passes other nodes than the one that fails: then no packet is lost
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../lib/wait.js';

const LEASE_MS = 31_000; // after which a silent node is given up
const MANY_CUTS = 15;
const everybody = () => true;
const nobody = () => false;
const othersThanAnn = (...names) => !names.includes('Ann');

// cut loses everything between the application and Ann's node for a while.
function cut(seconds, properties) {
	return {
		about: `The network between the application and Ann's node fails for ${seconds} s.`,
		proxies: true,
		async strike(scene) {
			scene.proxyOf('Ann').stall();
			await pause(seconds * 1000);
			scene.proxyOf('Ann').pass();
		},
		unharmed: everybody,
		...properties,
	};
}

// freeze stops the process of Ann's node for a while, as a host does that is overloaded, or moved to another machine.
function freeze(seconds, properties) {
	return {
		about: `Ann's node is stopped for ${seconds} s.`,
		async strike(scene) {
			const { child } = scene.nodeOf('Ann');
			child.kill('SIGSTOP');
			await pause(seconds * 1000);
			child.kill('SIGCONT');
		},
		unharmed: othersThanAnn,
		...properties,
	};
}

// busAway ends the bus, by which nodes hear of each other, for a while.
function busAway(seconds, properties) {
	return {
		about: `The bus is killed. After ${seconds} s Ann leaves, and comes again; then the bus is started again.`,
		joined: true,
		async strike(scene) {
			await scene.kill(scene.bus);
			await pause(seconds * 1000);
		},
		again: true,
		async mend(scene) {
			await scene.startBus();
			await scene.busWorks();
		},
		unharmed: everybody,
		...properties,
	};
}

export const PERSON_FAULTS = {
	'bus-away-12s': busAway(12, { quick: true }), // more than makes a node count as dead
	'bus-away-60s': busAway(60),

	'session-cut-1s': cut(1, { quick: true }),
	'session-cut-10s': cut(10),
	'session-cut-40s': cut(40, { lost: true, back: true, unharmed: othersThanAnn }),

	'connections-cut': {
		about: 'The connections between the application and all nodes are cut after a random number of bytes, again and again.',
		quick: true,
		proxies: true,
		async strike(scene, random) {
			scene.proxies.forEach(proxy => proxy.cutAfter(() => 2000 + Math.floor(random() * 20_000)));
			await until('many cuts', () => scene.proxies.every(({ cuts }) => cuts >= MANY_CUTS / 3));
			scene.proxies.forEach(proxy => proxy.stopCutting());
		},
		unharmed: everybody,
	},

	'node-killed': {
		about: 'Ann\'s node, which relays her streams to the others and theirs to her, is killed and stays away.',
		quick: true,
		strike: scene => scene.kill(scene.nodeOf('Ann')),
		lost: true,
		unharmed: othersThanAnn,
	},

	'relaying-node-killed': {
		about: 'Ann\'s node, which relays Bob\'s streams to Cem and Cem\'s to Bob, is killed and stays away.',
		quick: true,
		chained: true,
		strike: scene => scene.kill(scene.nodeOf('Ann')),
		lost: true,
		unharmed: nobody,
	},

	'node-restarted': {
		about: 'Ann\'s node is killed and started again at once.',
		quick: true,
		proxies: true, // so that it does not matter how fast it starts: no host refuses connections meanwhile
		async strike(scene) {
			const node = scene.nodeOf('Ann');
			await scene.kill(node);
			await scene.restart(node);
		},
		lost: true,
		back: true,
		unharmed: othersThanAnn,
	},

	'node-frozen-3s': freeze(3, {
		quick: true,
		// When her node goes on, it may look at the time before it reads what has waited in its sockets, or after: whether it takes
		// streams that come to it for silent is a matter of chance.
		varies: ({ owner, event }) => owner === 'Ann' && event === 'layerschange',
	}),
	'node-frozen-40s': freeze(40, { lost: true, back: true }),

	'nodes-cut-apart': {
		about: 'The network between Ann\'s node and Bob\'s fails, until they hear and see each other through Cem\'s.',
		network: true,
		async strike(scene) {
			scene.network.cut([scene.nodeOf('Ann').ip], [scene.nodeOf('Bob').ip]);
			await scene.steady();
			scene.network.mend();
		},
		detour: true,
		unharmed: (...names) => names.includes('Cem'),
	},

	'application-killed': {
		about: 'The application is killed.',
		quick: true,
		strike: scene => scene.application.kill(),
		ends: true,
		unharmed: nobody,
	},

	'application-cut-off': {
		about: 'The host of the application fails: nodes hear nothing of it any more.',
		proxies: true,
		async strike(scene) {
			scene.proxies.forEach(proxy => proxy.stall());
			process.kill(scene.workerPid, 'SIGKILL');
			await scene.application.kill();
			await pause(LEASE_MS);
		},
		ends: true,
		unharmed: nobody,
	},
};
