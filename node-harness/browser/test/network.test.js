// Paths between a page and the worker: UDP and TCP, a transport's own ports and a WebRtcServer, ICE restarts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MICROPHONE, isHealthy, painted, useBrowser } from '../lib/fixture.js';
import { until } from '../lib/wait.js';

const ctx = useBrowser();
const UDP_ONLY = { listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] };
const TCP_ONLY = { listenInfos: [{ protocol: 'tcp', ip: '127.0.0.1' }], enableUdp: false, enableTcp: true };

async function call(options = {}) {
	const [alice, bob] = [await ctx.join(options), await ctx.join(options)];
	const picture = await bob.consume(await alice.produce({ source: painted('#00ff00'), mimeType: 'video/VP8' }));
	const sound = await bob.consume(await alice.produce({ source: MICROPHONE, mimeType: 'audio/opus' }));
	const talks = await bob.produceData({ ordered: true });
	const listens = await alice.consumeData(talks);
	return { alice, bob, picture, sound, talks, listens };
}

// flows waits for more audio and video, and for a message over the data channel.
async function flows({ alice, bob, picture, sound, talks, listens }, message) {
	const before = [await bob.stats(picture), await bob.stats(sound)];
	await bob.call('sendData', talks.id, [message]);
	await bob.sees('frames', picture, ({ framesDecoded }) => framesDecoded > (before[0]?.framesDecoded ?? 0) + 15);
	await bob.sees('sound', sound, ({ packetsReceived }) => packetsReceived > (before[1]?.packetsReceived ?? 0) + 50);
	await until('the message', async () => (await alice.call('heardData', listens.id)).at(-1) === message);
}

for (const tcp of [false, true]) {
	for (const shared of [false, true]) {
		test(`a call over ${tcp ? 'TCP' : 'UDP'}, ${shared ? 'WebRtcServer' : 'own ports'}`, async () => {
			const { listenInfos, ...protocols } = tcp ? TCP_ONLY : UDP_ONLY;
			const where = shared ? { webRtcServer: await ctx.worker.createWebRtcServer({ listenInfos }) } : { listenInfos };
			const joined = await call({ transportOptions: { ...where, ...protocols } });
			await flows(joined, 'hello');
			for (const transport of [joined.alice.send, joined.bob.recv]) {
				assert.equal(transport.iceSelectedTuple.protocol, tcp ? 'tcp' : 'udp');
			}
			isHealthy(await joined.bob.stats(joined.picture));
		});
	}
}

test('a page that may use UDP and TCP chooses UDP', async () => {
	const joined = await call();
	await flows(joined, 'hello');
	await until('UDP is chosen', () => [joined.alice.send, joined.bob.recv].every(({ iceSelectedTuple }) => iceSelectedTuple.protocol === 'udp'));
});

for (const tcp of [false, true]) {
	test(`ICE restarts of all transports during a call over ${tcp ? 'TCP' : 'UDP'}`, async () => {
		const joined = await call(tcp ? { transportOptions: TCP_ONLY } : {});
		await flows(joined, 'before');
		const { alice, bob } = joined;
		const dtls = [];
		for (let n = 0; n < 2; n++) {
			for (const [participant, direction] of [[alice, 'send'], [bob, 'recv'], [alice, 'recv'], [bob, 'send']]) {
				const transport = participant[direction];
				const before = transport.iceParameters.usernameFragment;
				transport.on('dtlsstatechange', state => dtls.push(state));
				const iceParameters = await transport.restartIce();
				assert.notEqual(iceParameters.usernameFragment, before);
				await participant.call('restartIce', direction, iceParameters);
				await until('ICE is completed', () => transport.iceState === 'completed');
			}
			await flows(joined, `after restart ${n}`);
		}
		assert.deepEqual(dtls, []);
		isHealthy(await bob.stats(joined.picture));
	});
}

test('the worker detects that a page has gone', async () => {
	const { alice, bob } = await call({ transportOptions: { iceConsentTimeout: 5 } });
	await until('all are connected', () => alice.send.dtlsState === 'connected' && bob.recv.dtlsState === 'connected');
	await alice.page.close();
	await until('the transports of the page are closed or disconnected', () => [alice.send, alice.recv].every(
		({ dtlsState, iceState }) => dtlsState === 'closed' || iceState === 'disconnected'));
});
