package steering

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"gazpacho/scaling/membership"
	"gazpacho/scaling/placement"
)

// Region is the nodes of a region: what they have and what they would need.
type Region struct {
	Name string
	// Serving is how many nodes take new transports, Draining how many end soon, Lost how many are suspected or dead.
	Serving, Draining, Lost int
	// Used is how many nodes the present load fills: one that is full counts as 1.
	Used float64
	// Needed is how many nodes the region should have, so that one of them has room for new Routers.
	Needed int
	// Short says that it has less, for some time.
	Short bool
}

// Chosen here.
const (
	// ebb is by how much fuller nodes are counted when it is asked whether the region can do without one, and by how much emptier one has to
	// be for the region to count as short no more.
	ebb = 0.25
	// least is the room below a watermark that leaves none for headroom, and what does not count of a node.
	least = 0.01
)

// fullness returns how full a node is: at 1, new Routers go elsewhere.
func fullness(r *membership.Row) float64 {
	load := max(r.Load.CPU, r.Load.Network) + r.Load.Assumed
	return load / max(cmp.Or(r.Watermark, placement.Watermark)-placement.Headroom, least)
}

func isServing(r *membership.Row) bool { return r.Condition == membership.Alive && !r.Draining }

// regionsOf judges a table.
func regionsOf(rows []membership.Row) []*Region {
	regions := map[string]*Region{}
	excess := map[string]float64{} // what nodes have to do beyond being full
	for i := range rows {
		r := &rows[i]
		name := r.Labels["region"]
		region := regions[name]
		if region == nil {
			region = &Region{Name: name}
			regions[name] = region
		}
		switch {
		case r.Condition != membership.Alive:
			region.Lost++
		case r.Draining:
			region.Draining++
		default:
			region.Serving++
			full := fullness(r)
			region.Used += min(full, 1)
			excess[name] += max(full-1, 0)
		}
	}
	all := slices.SortedFunc(maps.Values(regions), func(a, b *Region) int { return cmp.Compare(a.Name, b.Name) })
	for _, r := range all {
		r.Needed = int(math.Floor(r.Used)) + 1
		if r.Used >= float64(r.Serving) {
			r.Needed = max(r.Serving+1, int(math.Ceil(r.Used+excess[r.Name]-least)))
		}
	}
	return all
}

// shortOf reports whether no node of the region is less full than that.
func shortOf(rows []membership.Row, region string, limit float64) bool {
	return !slices.ContainsFunc(rows, func(r membership.Row) bool {
		return r.Labels["region"] == region && isServing(&r) && fullness(&r) < limit
	})
}

// spare returns how many nodes the region can do without.
func (r *Region) spare() int { return r.Serving - int(math.Floor(r.Used+ebb)) - 1 }
