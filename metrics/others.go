package metrics

// channelFamilies say how well the application keeps up. A worker has them.
var channelFamilies = []family{
	{
		name: "channel_waiting_bytes", kind: gauge,
		help: "Bytes that wait for the application because it reads slowly.",
		read: func(f *figures, to *samples) { to.add(float64(f.channel.Waiting)) },
	},
	{
		name: "channel_dropped_messages_total", kind: counter,
		labels: []label{{name: "kind", values: "media, data, logs, state (other notifications), early (of objects whose creation was not answered yet)"}},
		help:   "Messages for the application that were dropped because it reads slowly.",
		read:   func(f *figures, to *samples) { to.fields(f.channel.Dropped) },
	},
}

// frontFamilies say how an application's nodes are used. A worker with GAZPACHO_CLUSTER has them.
var frontFamilies = []family{
	{
		name: "cluster_nodes", kind: gauge, help: "Nodes that the application uses.",
		labels: []label{{name: "state", values: "present, gone (until they come back and answer)"}},
		read: func(f *figures, to *samples) {
			to.add(float64(f.front.Nodes.Present), "present")
			to.add(float64(f.front.Nodes.Gone), "gone")
		},
	},
	{
		name: "cluster_cut_pairs", kind: gauge,
		help: "Pairs of nodes that do not reach each other, so that media between them goes by a third one.",
		read: func(f *figures, to *samples) { to.add(float64(f.front.CutNodes)) },
	},
	{
		name: "cluster_requests_waiting", kind: gauge, help: "Requests of the application that its nodes have not answered yet.",
		read: func(f *figures, to *samples) { to.add(float64(f.front.Requests)) },
	},
	{
		name: "relays", kind: gauge, labels: []label{{name: "kind", values: "media, data"}},
		help: "Producers and DataProducers that stand on another node than their own, once for each such node.",
		read: func(f *figures, to *samples) {
			to.add(float64(f.front.Media), "media")
			to.add(float64(f.front.Data), "data")
		},
	},
	{
		name: "relays_created_total", kind: counter, labels: []label{{name: "kind", values: "media, data"}}, help: "Relays made so far.",
		read: func(f *figures, to *samples) {
			to.add(float64(f.front.Relays), "media")
			to.add(float64(f.front.DataRelays), "data")
		},
	},
	{
		name: "cluster_dropped_messages_total", kind: counter,
		help: "Messages of media and data that were lost because the front was too slow.",
		read: func(f *figures, to *samples) { to.count(f.front.Dropped) },
	},
}

// nodeFamilies say who uses a node. A node has them.
var nodeFamilies = []family{
	{
		name: "node_draining", kind: gauge, help: "1 if the node takes no new applications because it is about to end.",
		read: func(f *figures, to *samples) {
			if f.node.Draining {
				to.add(1)
			} else {
				to.add(0)
			}
		},
	},
	{
		name: "node_network_usage_ratio", kind: gauge,
		help: "Fraction of the bandwidth that the node was told with --bandwidth that is used, in the busier direction; 0 without.",
		read: func(f *figures, to *samples) { to.add(f.node.Network) },
	},
	{
		name: "node_assumed_load_ratio", kind: gauge,
		help: "What was placed on the node lately is assumed to add to gazpacho_cpu_usage_ratio.",
		read: func(f *figures, to *samples) { to.add(f.node.Assumed) },
	},
	{
		name: "node_unheard_nodes", kind: gauge,
		help: "Live nodes whose UDP does not arrive at this one: `gazpacho status` names what to open in the firewall.",
		read: func(f *figures, to *samples) { to.add(float64(len(f.node.Unheard))) },
	},
	{
		name: "node_sessions", kind: gauge, labels: []label{{name: "state", values: "connected, disconnected (the connection broke, and may come back)"}},
		help: "Sessions of applications.",
		read: func(f *figures, to *samples) {
			byState := map[bool]int{}
			for _, front := range f.node.Fronts {
				byState[front.Connected]++
			}
			to.add(float64(byState[true]), "connected")
			to.add(float64(byState[false]), "disconnected")
		},
	},
	{
		name: "node_links", kind: gauge,
		labels: []label{{name: "direction", values: "in, out"}, {name: "state", values: "connected, disconnected"}},
		help:   "Links for messages of data channels, from other nodes and to them.",
		read: func(f *figures, to *samples) {
			type end struct {
				out, connected bool
			}
			byEnd := map[end]int{}
			for _, l := range f.node.Links {
				byEnd[end{l.To != "", l.Connected}]++
			}
			for out, direction := range map[bool]string{true: "out", false: "in"} {
				to.add(float64(byEnd[end{out, true}]), direction, "connected")
				to.add(float64(byEnd[end{out, false}]), direction, "disconnected")
			}
		},
	},
	{
		name: "node_link_waiting_bytes", kind: gauge, help: "Bytes that wait in links to other nodes.",
		read: func(f *figures, to *samples) {
			waiting := 0
			for _, l := range f.node.Links {
				waiting += l.Waiting
			}
			to.add(float64(waiting))
		},
	},
	{
		name: "node_refused_connections_total", kind: counter, help: "Connections that were refused, and those dropped because of what came by them.",
		read: func(f *figures, to *samples) { to.count(f.node.Refused) },
	},
	{
		name: "node_unclaimed_messages_total", kind: counter, help: "Messages of other nodes that nothing here waited for.",
		read: func(f *figures, to *samples) { to.count(f.node.Unclaimed) },
	},
}

// directoryFamilies say what part a node has in the directory of producers. A node with a bus has them.
var directoryFamilies = []family{
	{
		name: "directory_entries", kind: gauge,
		labels: []label{{name: "kind", values: "registered (producers of this node that others find), held (kept here of all nodes' producers)"}},
		help:   "Entries of the directory of producers.",
		read: func(f *figures, to *samples) {
			if d := f.node.Directory; d != nil {
				to.add(float64(d.Registered), "registered")
				to.add(float64(d.Held), "held")
			}
		},
	},
	{
		name: "directory_lookups_total", kind: counter,
		labels: []label{{name: "outcome", values: "found, absent (there is no such producer), failed (no node has answered that should know)"}},
		help:   "Producers that this node has looked for.",
		read: func(f *figures, to *samples) {
			if d := f.node.Directory; d != nil {
				to.count(d.Lookups-d.Absent-d.Failed, "found")
				to.count(d.Absent, "absent")
				to.count(d.Failed, "failed")
			}
		},
	},
	{
		name: "directory_refused_producers_total", kind: counter,
		help: "Producers that others cannot find, since their application or its tenant has too many on this node.",
		read: func(f *figures, to *samples) {
			if d := f.node.Directory; d != nil {
				to.count(d.Refused)
			}
		},
	},
	{
		name: "directory_dropped_messages_total", kind: counter,
		labels: []label{{name: "reason", values: "lost (no room, or no connection with the bus), malformed"}},
		help:   "Messages of the directory that were dropped here. What they said is told again.",
		read: func(f *figures, to *samples) {
			if d := f.node.Directory; d != nil {
				to.count(d.Lost, "lost")
				to.count(d.Malformed, "malformed")
			}
		},
	},
}

// certificateFamilies are of those who have certificates of a cluster: nodes, and workers that use nodes of other hosts.
var certificateFamilies = []family{
	{
		name: "certificate_expiry_timestamp_seconds", kind: gauge,
		help: "When the certificate, or the authority's, ends to be valid, in seconds since 1970. Connections are refused from then on.",
		read: func(f *figures, to *samples) { to.add(float64(f.certificate.Unix())) },
	},
}
