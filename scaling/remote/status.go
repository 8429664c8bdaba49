package remote

import (
	"cmp"
	"math"
	"runtime"
	"slices"

	"gazpacho/engine/api"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/reach"
)

// Status is what a node tells of itself.
type Status struct {
	Name     string  `json:"name"`
	CPU      float64 `json:"cpu"`     // from 0 to 1, of its cores, whoever uses them
	Network  float64 `json:"network"` // likewise of its bandwidth, if that is known
	Assumed  float64 `json:"assumed"` // what was placed there lately is assumed to add to that
	Draining bool    `json:"draining"`
	Refused  uint64  `json:"refusedConnections"` // and those dropped because of what came by them
	// Goroutines of the whole process: a node that is idle again has as many as when it was started.
	Goroutines int           `json:"goroutines"`
	Fronts     []FrontStatus `json:"fronts"`
	Links      []LinkStatus  `json:"links"`
	// Unheard are the live nodes whose UDP does not arrive here, Ports those for media on this one.
	Unheard []reach.Unheard `json:"unheard,omitempty"`
	Ports   string          `json:"ports,omitempty"`
	// Unclaimed is how many messages of other nodes nothing here waited for.
	Unclaimed uint64 `json:"unclaimedMessages"`
	// Serving says that the node has begun to take applications.
	Serving bool `json:"serving"`
	// Directory is the node's part in the directory of producers; nil without a bus.
	Directory *DirectoryStatus `json:"directory,omitempty"`
}

// LinkStatus is a link for data to another node, or from one.
type LinkStatus struct {
	To        string `json:"to,omitempty"`   // address
	From      string `json:"from,omitempty"` // name
	Connected bool   `json:"connected"`
	Streams   int    `json:"dataProducers"` // whose messages go to the other node
	Waiting   int    `json:"waitingBytes"`
	Messages  uint64 `json:"messages"`
	Bytes     uint64 `json:"bytes"`
	Lost      uint64 `json:"lostMessages"` // for which there was no room, or which would have been late
}

// FrontStatus is a front as its node sees it.
type FrontStatus struct {
	Application string   `json:"application"`
	Tenant      string   `json:"tenant,omitempty"`
	Release     string   `json:"release"`
	Connected   bool     `json:"connected"`
	Dropped     uint64   `json:"droppedMessages"`
	Load        api.Load `json:"load"`
}

// Load returns how busy the node is.
func (s *Server) Load() membership.Load {
	st := s.Status()
	load := membership.Load{CPU: thousandths(st.CPU), Network: thousandths(st.Network), Assumed: thousandths(st.Assumed), Fronts: len(st.Fronts)}
	load.In, load.Out = s.traffic.last()
	for _, f := range st.Fronts {
		load.Routers += f.Load.Routers
		load.Transports += f.Load.Transports
	}
	return load
}

// thousandths rounds, so that heartbeats stay short.
func thousandths(v float64) float64 { return math.Round(v*1000) / 1000 }

// Status returns what there is now.
func (s *Server) Status() Status {
	st := Status{
		Name: s.options.Name, CPU: s.options.Load(), Assumed: s.outlook.assumed(s.options.Cores), Draining: s.Draining(), Refused: s.refused.Load(),
		Goroutines: runtime.NumGoroutine(), Fronts: []FrontStatus{},
	}
	for _, g := range s.all() {
		if row, ok := g.status(); ok {
			st.Fronts = append(st.Fronts, row)
			st.CPU = max(st.CPU, row.Load.CPU) // workers of one host have it in common
		}
	}
	st.Network = s.traffic.share(s.options.Bandwidth)
	st.Unheard, st.Ports = s.unheardNodes(), s.options.Ports
	st.Links, st.Unclaimed, st.Serving, st.Directory = s.linksShown(), s.unclaimed.Load(), s.isServing(), s.index.shown()
	slices.SortFunc(st.Fronts, func(a, b FrontStatus) int { return cmp.Compare(a.Application, b.Application) })
	return st
}
