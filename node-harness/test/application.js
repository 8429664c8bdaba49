// An application with three workers that does not end by itself; process.test.js kills it.
import * as mediasoup from 'mediasoup';

const workers = await Promise.all([1, 2, 3].map(() => mediasoup.createWorker()));
for (const worker of workers) {
	const router = await worker.createRouter();
	await router.createPlainTransport({ listenInfo: { protocol: 'udp', ip: '127.0.0.1' } });
}
process.send(workers.map(({ pid }) => pid));
setInterval(() => {}, 1000);
