// What the environment says: where the page is served, and which addresses browsers are told for media.
import * as net from 'node:net';
import * as os from 'node:os';

const LOOPBACK = '127.0.0.1';

// ownAddress is this machine's address in its network, if it has one.
function ownAddress() {
	return Object.values(os.networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

// settings reads LISTEN=address:port, ANNOUNCED_ADDRESS and MEDIA_PORT.
export function settings({ LISTEN, ANNOUNCED_ADDRESS, MEDIA_PORT, GAZPACHO_CLUSTER }) {
	const [, host, port] = /^\[?([^\]]*)\]?:(\d+)$/.exec(LISTEN ?? `${LOOPBACK}:3000`) ?? [];
	if (!net.isIP(host ?? '') || Number(port) > 65535) {
		throw new Error(`LISTEN=${LISTEN}: an IP address and a port are needed, such as 0.0.0.0:3000`);
	}
	if (MEDIA_PORT && (!/^\d+$/.test(MEDIA_PORT) || Number(MEDIA_PORT) > 65535)) {
		throw new Error(`MEDIA_PORT=${MEDIA_PORT}: a port is needed, from 1 to 65535`);
	}
	const local = host === '::1' || host.startsWith('127.');
	const announced = ANNOUNCED_ADDRESS ?? (net.isIP(host) && !/^(0\.0\.0\.0|::)$/.test(host) ? host : ownAddress() ?? LOOPBACK);
	return {
		host, port: Number(port), local, announced,
		mayMove: LISTEN === undefined, // to another port, if this one is taken
		listenInfos: listenInfos({ host, local, announced, port: Number(MEDIA_PORT ?? 0), clustered: Boolean(GAZPACHO_CLUSTER) }),
	};
}

// listenInfos are those of the WebRtcServer. A node of a cluster puts its own address in their place. On this machine alone, loopback
// needs no network, but Firefox does not use it for media: it gets the machine's address too.
function listenInfos({ host, local, announced, port, clustered }) {
	const both = (ip, announcedAddress) => ['udp', 'tcp'].map(protocol => ({ protocol, ip, port, ...(announcedAddress && { announcedAddress }) }));
	if (clustered) {
		return both('0.0.0.0');
	}
	if (!local) {
		return both(host, announced === host ? undefined : announced);
	}
	const own = ownAddress();
	return [...both(LOOPBACK), ...(own ? both(own) : [])];
}
