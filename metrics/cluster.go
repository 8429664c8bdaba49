package metrics

import "gazpacho/scaling/steering"

// byRegion labels what is counted for each region.
var byRegion = label{name: "region", values: "as nodes name it with --region; empty for those that name none"}

// ofRegions is a family with a sample for each region.
func ofRegions(name, help string, of func(*steering.Region) float64) family {
	return family{name: name, kind: gauge, help: help, labels: []label{byRegion}, read: func(f *figures, to *samples) {
		for i := range f.steering.Regions {
			r := &f.steering.Regions[i]
			to.add(of(r), r.Name)
		}
	}}
}

// clusterFamilies say what the cluster has and would need. A node has them; all of a cluster show the same.
var clusterFamilies = []family{
	{
		name: "region_nodes", kind: gauge,
		labels: []label{byRegion, {name: "state", values: "serving, draining, lost (suspected or dead)"}}, help: "Nodes.",
		read: func(f *figures, to *samples) {
			for _, r := range f.steering.Regions {
				to.add(float64(r.Serving), r.Name, "serving")
				to.add(float64(r.Draining), r.Name, "draining")
				to.add(float64(r.Lost), r.Name, "lost")
			}
		},
	},
	ofRegions("region_needed_nodes", "Nodes that there should be, so that one of them has room for new Routers: what an autoscaler may aim at.",
		func(r *steering.Region) float64 { return float64(r.Needed) }),
	ofRegions("region_used_nodes", "Nodes that the present load fills, a part of one included. At as many as serve, capacity is short.",
		func(r *steering.Region) float64 { return r.Used }),
	ofRegions("region_capacity_short", "1 if no node has room for new Routers, for some seconds.",
		func(r *steering.Region) float64 {
			if r.Short {
				return 1
			}
			return 0
		}),
	{
		name: "webhook_requests_total", kind: counter, labels: []label{{name: "result", values: "taken, failed"}},
		help: "Requests to the webhook for signals, by the node that tells them.",
		read: func(f *figures, to *samples) {
			to.count(f.steering.Told, "taken")
			to.count(f.steering.Failed, "failed")
		},
	},
}
