// In a cluster, each transport is on one of its nodes. mediasoup's API does not know nodes, but ICE candidates name the address
// at which a browser finds the transport, and that is the node's.

// whereabouts returns a text for the node that a transport is on, or null without a cluster. NODE_NAMES="127.0.1.1=a,127.0.1.2=b" gives
// addresses names that are nicer to read. One that has none is shown with its port, as nodes of one host may differ in that only.
export function whereabouts({ iceCandidates, tuple }, { GAZPACHO_CLUSTER, NODE_NAMES = '' } = process.env) {
	if (!GAZPACHO_CLUSTER) {
		return null;
	}
	const [address, port] = iceCandidates ? [iceCandidates[0].address, iceCandidates[0].port] : [tuple.localAddress, tuple.localPort];
	const names = new Map(NODE_NAMES.split(',').map(pair => pair.split('=')));
	return names.get(address) ?? `${address}:${port}`;
}
