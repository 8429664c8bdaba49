// The conference's server: an ordinary mediasoup application with one worker.
import * as mediasoup from 'mediasoup';
import { bundle } from './bundle.js';
import { certificate } from './certificate.js';
import { Rooms } from './rooms.js';
import { serve } from './web.js';

// startConference returns { url, rooms, worker, close } when pages can come.
export async function startConference({ host, port, local, announced, mayMove, listenInfos }) {
	const worker = await mediasoup.createWorker({ logLevel: 'error' });
	const webRtcServer = await worker.createWebRtcServer({ listenInfos });
	const rooms = new Rooms({ worker, webRtcServer });
	const options = { host, certificate: local ? undefined : certificate(announced), files: await bundle(), rooms };
	const server = await serve({ ...options, port }).catch(error => {
		if (error.code !== 'EADDRINUSE' || !mayMove) {
			throw error;
		}
		return serve({ ...options, port: 0 });
	});
	const close = async () => {
		await server.close();
		const ended = new Promise(resolve => worker.once('subprocessclose', resolve));
		worker.close();
		await ended;
	};
	const url = `${local ? 'http://localhost' : `https://${announced}`}:${server.port}/`;
	return { url, rooms, worker, close };
}
