// What happens to clusters with many rooms. Each fault has
//   about    what happens, for whoever reads the golden list
//   quick    it is among those that make test runs
//   network  nodes and applications have network namespaces of their own
//   plan     what there is: see House.open
//   play     lets it happen, and returns { lines, figures } as observe does
import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../../lib/wait.js';
import { Report } from './report.js';
import { Restarts } from './restarts.js';
import { Upgrade } from './upgrade.js';

const MAX_DELAY_MS = 1000; // before the fault
const COMING = { rate: 20 };

const CUT_MS = 60_000;
const DRAIN_S = 8;
const ROUNDS = 4;
const STEPS = 4; // forth and back, and back and forth
// What is upgraded from, and what has a clock that steps: scripts/faults.sh.
const BEFORE = { node: process.env.GAZPACHO_BEFORE, worker: process.env.WORKER_BEFORE };
const STEPPING = { node: process.env.GAZPACHO_STEPPING, worker: process.env.WORKER_STEPPING };

const shuffled = (list, random) => list.map(item => ({ item, order: random() })).sort((a, b) => a.order - b.order).map(({ item }) => item);
const pick = (list, random) => list[Math.floor(random() * list.length)];

export const ROOM_FAULTS = {
	'one-of-five-killed': {
		about: 'One of five nodes is killed, three of which have the bus, and started again later. There are 40 rooms, on four workers.',
		plan: {
			nodes: ['a', 'b', 'c', 'd', 'e'], bus: ['a', 'b', 'c'],
			applications: [{ workers: ['a', 'b', 'c', 'd'] }], rooms: 10,
		},
		async play(house, random) {
			const [application] = house.applications;
			const victim = pick(house.nodes, random);
			const report = new Report(house, () => [victim]);
			await report.begin(random() * MAX_DELAY_MS);
			await application.call('startComing', COMING);
			await house.cluster.kill(victim);
			await report.losses();
			report.coming('while it is away', [await application.call('stopComing')]);
			await report.comeAgain();

			await house.cluster.start(victim);
			await house.cluster.joined();
			await house.cluster.serve([victim], house.fronts);
			await application.call('startComing', COMING);
			await house.comesTo(application, [victim]);
			report.coming('when it is back', [await application.call('stopComing')]);
			return report.end();
		},
	},

	'partition-60s': {
		about: 'The network between two and three of five nodes fails for 60 s. On each side there is an application, with rooms on all nodes.',
		network: true,
		plan: {
			nodes: ['a', 'b', 'c', 'd', 'e'], bus: ['a', 'b', 'c'],
			applications: [{ host: 'one', workers: ['a', 'b'] }, { host: 'other', workers: ['c', 'd'] }], rooms: 5,
		},
		async play(house, random) {
			const { network, cluster, plan } = house;
			const sides = [['a', 'b'], ['c', 'd', 'e']].map(names => names.map(name => house.node(name)));
			const hosts = sides.map((nodes, i) => [...nodes.map(({ ip }) => ip), network.address(plan.applications[i].host)]);
			const everywhere = (command, args) => Promise.all(house.applications.map(application => application.call(command, args)));
			const report = new Report(house, application => sides[1 - application]);
			await report.begin(random() * MAX_DELAY_MS);
			await everywhere('startComing', COMING);
			network.cut(...hosts);
			await Promise.all(sides.map(nodes => cluster.joined(nodes)));
			await report.losses();
			report.coming('on each side', await everywhere('stopComing'));
			await report.comeAgain();
			await report.once('while the network is away');
			await pause(Math.max(report.begun + CUT_MS - performance.now(), 0));

			network.mend();
			await cluster.joined();
			await cluster.serve(house.nodes, house.fronts);
			await everywhere('startComing', COMING);
			await Promise.all(house.applications.map((application, i) => house.comesTo(application, sides[1 - i])));
			report.coming('when it is back, also on the other side', await everywhere('stopComing'));
			return report.end();
		},
	},

	'rolling-upgrade': {
		about: 'Three nodes are drained and replaced by newer ones, one after the other, and then the application, while rooms end and begin.',
		plan: {
			nodes: ['a', 'b', 'c'], bus: ['a', 'b', 'c'], binary: BEFORE.node, upgraded: true, options: ['--drain-time', `${DRAIN_S}s`],
			applications: [{ workers: ['a'], worker: BEFORE.worker }], rooms: 6,
		},
		async play(house, random) {
			const upgrade = new Upgrade(house, DRAIN_S * 1000);
			await upgrade.begin();
			for (const node of shuffled(house.nodes, random)) {
				await upgrade.replace(node);
			}
			return upgrade.end(await upgrade.replaceApplication({ workers: ['b'] }));
		},
	},

	'nodes-restart': {
		about: 'Three nodes end, by force or not, and start again, one at a time and soon after each other, each four times.',
		plan: {
			nodes: ['a', 'b', 'c'], bus: ['a', 'b', 'c'], options: ['--drain-time', '0s'],
			applications: [{ workers: ['a'] }], rooms: 6,
		},
		async play(house, random) {
			const restarts = new Restarts(house);
			for (let round = 0; round < ROUNDS; round++) {
				for (const node of shuffled(house.nodes, random)) {
					await restarts.restart(node, random() < 0.5);
				}
			}
			return restarts.end();
		},
	},

	'clock-steps': {
		about: 'The clocks of three nodes with the bus, and of the workers, step by an hour forth and back, every 5 s, each at a moment of its own.',
		plan: {
			nodes: ['a', 'b', 'c'], bus: ['a', 'b', 'c'], binary: STEPPING.node,
			applications: [{ workers: ['a', 'b'], worker: STEPPING.worker }], rooms: 6,
		},
		async play(house, random) {
			const { cluster, nodes, applications: [application] } = house;
			const report = new Report(house, () => []);
			await report.begin(random() * MAX_DELAY_MS);
			await application.call('startComing', COMING);
			const before = nodes.map(node => cluster.steps(node));
			await until('the clocks have stepped', async () => {
				await Promise.all(nodes.map(node => cluster.provoke(node)));
				return nodes.every((node, i) => cluster.steps(node) >= before[i] + STEPS);
			}, { interval: 200 });
			await cluster.joined();
			report.told();
			report.coming('all the time', [await application.call('stopComing')]);
			return report.end();
		},
	},
};
