// What the environment says, and what becomes of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificate } from '../server/certificate.js';
import { whereabouts } from '../server/nodes.js';
import { settings } from '../server/settings.js';

const addresses = ({ listenInfos }) => [...new Set(listenInfos.map(({ ip }) => ip))];

test('by default the page is for this machine, by HTTP', () => {
	const { host, port, local, mayMove, listenInfos } = settings({});
	assert.deepEqual([host, port, local, mayMove], ['127.0.0.1', 3000, true, true]);
	assert.equal(listenInfos[0].ip, '127.0.0.1');
	assert.deepEqual([...new Set(listenInfos.map(({ protocol }) => protocol))], ['udp', 'tcp']);
});

test('for others, media has the address that they are told', () => {
	const { local, announced, listenInfos } = settings({ LISTEN: '0.0.0.0:8443', ANNOUNCED_ADDRESS: 'host.example', MEDIA_PORT: '44444' });
	assert.equal(local, false);
	assert.equal(announced, 'host.example');
	assert.deepEqual(listenInfos[0], { protocol: 'udp', ip: '0.0.0.0', port: 44444, announcedAddress: 'host.example' });
	const own = settings({ LISTEN: '192.0.2.7:8443' });
	assert.deepEqual(own.listenInfos[0], { protocol: 'udp', ip: '192.0.2.7', port: 0 });
	assert.equal(settings({ LISTEN: '[::]:8443', ANNOUNCED_ADDRESS: '2001:db8::1' }).host, '::');
});

test('in a cluster, one address stands for that of each node', () => {
	assert.deepEqual(addresses(settings({ GAZPACHO_CLUSTER: 'a,b' })), ['0.0.0.0']);
});

test('what is no address is refused', () => {
	for (const LISTEN of ['3000', 'here:3000', '0.0.0.0', '0.0.0.0:x', '0.0.0.0:99999', '']) {
		assert.throws(() => settings({ LISTEN }), /an IP address and a port are needed/, LISTEN);
	}
});

test('what is no port, or no certificate, is refused', () => {
	for (const MEDIA_PORT of ['x', '99999', '-1']) {
		assert.throws(() => settings({ MEDIA_PORT }), /a port is needed/, MEDIA_PORT);
	}
	for (const files of [{ TLS_CERT: '/none' }, { TLS_KEY: '/none' }, { TLS_CERT: import.meta.filename, TLS_KEY: import.meta.filename }]) {
		assert.throws(() => certificate('127.0.0.1', files), /files with a certificate and its key \(PEM\) are needed/);
	}
});

test('a transport is on the node that its address names', () => {
	const transport = { iceCandidates: [{ address: '127.0.1.2', port: 4000 }] };
	assert.equal(whereabouts(transport, {}), null);
	assert.equal(whereabouts(transport, { GAZPACHO_CLUSTER: 'x' }), '127.0.1.2:4000');
	assert.equal(whereabouts(transport, { GAZPACHO_CLUSTER: 'x', NODE_NAMES: '127.0.1.1=a,127.0.1.2=b' }), 'b');
	assert.equal(whereabouts({ tuple: { localAddress: '127.0.1.1', localPort: 1 } }, { GAZPACHO_CLUSTER: 'x', NODE_NAMES: '127.0.1.1=a' }), 'a');
});

test('the certificate is for the address', () => {
	const { cert, key } = certificate('192.0.2.7', {});
	assert.match(String(cert), /BEGIN CERTIFICATE/);
	assert.match(String(key), /PRIVATE KEY/);
});
