// An application of the soak test: an ordinary mediasoup application, with a worker and a town, that the test tells what to do.
import * as v8 from 'node:v8';
import * as vm from 'node:vm';
import * as mediasoup from 'mediasoup';
import { obey } from '../faults/commands.js';
import { Crowd } from './crowd.js';
import { closeLate, watch } from './late.js';
import { Town } from './town.js';

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc');
watch();

let worker;
let town;
let late = 0;

const commands = {
	async open({ crowd, ip, seed }) {
		worker = await mediasoup.createWorker({ logLevel: 'warn' });
		worker.once('died', error => {
			console.error('the worker has died:', error);
			process.exit(1);
		});
		town = new Town(worker, new Crowd(crowd), ip, seed);
		await town.settle();
		return worker.pid;
	},

	live: ({ seconds, rate }) => town.live(seconds, rate),
	async empty() {
		await town.empty();
		late += closeLate(town.lasting);
		await worker.dump(); // after which all that was closed is
	},

	// exchange tells what others may import, and takes what they have.
	exchange({ foreign }) {
		town.foreign = foreign;
		return town.origins;
	},

	// holds says what this process holds, and the worker of it.
	async holds() {
		const { webRtcServerIds, routerIds, channelMessageHandlers } = await worker.dump();
		const handlers = Object.values(channelMessageHandlers).flat().length;
		return {
			heap: heap(), 'listeners of the channel': await listeners(), 'active resources': process.getActiveResourcesInfo().length,
			'objects of the worker': webRtcServerIds.length + routerIds.length + handlers,
		};
	},

	done: () => ({ done: town.done, refused: town.refused, recorded: town.recorded, late }),

	async close() {
		const ended = new Promise(resolve => worker.once('subprocessclose', resolve));
		worker.close();
		await Promise.all([ended, town.crowd.end()]);
	},
};

// heap returns the bytes that are in use when garbage is collected.
function heap() {
	for (let i = 0; i < 3; i++) {
		collectGarbage();
	}
	return process.memoryUsage().heapUsed;
}

// listeners returns how many ids the library's channel has listeners for: one for each object that is not forgotten. The channel is seen
// through an object that has it.
async function listeners() {
	const router = await worker.createRouter();
	const transport = await router.createDirectTransport();
	const { length } = transport.channelForTesting.eventNames();
	router.close();
	await worker.dump();
	return length;
}

obey(commands);
