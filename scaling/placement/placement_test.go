package placement_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/placement"
)

// at is a node with a load that some transports of the Router are on.
func at(load float64, transports int) placement.Node {
	return placement.Node{State: placement.State{Load: load}, Transports: transports, All: transports}
}

func labelled(region, zone string, load float64, transports int) placement.Node {
	n := at(load, transports)
	n.Region, n.Zone = region, zone
	return n
}

func draining(n placement.Node) placement.Node {
	n.Draining = true
	return n
}

func assuming(n placement.Node, assumed, share float64, asked int) placement.Node {
	n.Assumed, n.Share, n.Asked = assumed, share, asked
	return n
}

func reserving(n placement.Node, assumed, reserved float64) placement.Node {
	n.Assumed, n.Reserved = assumed, reserved
	return n
}

func peaked(n placement.Node, peak float64) placement.Node {
	n.Peak = peak
	return n
}

func marked(n placement.Node, watermark float64) placement.Node {
	n.Watermark = watermark
	return n
}

// order returns the nodes as they are chosen one after the other, when each one refuses.
func order(p placement.Policy, nodes []placement.Node) (order []int) {
	left := make([]int, len(nodes))
	for i := range left {
		left[i] = i
	}
	for {
		var present []placement.Node
		for _, i := range left {
			present = append(present, nodes[i])
		}
		i, _ := p.Best(present)
		if i < 0 {
			return order
		}
		order = append(order, left[i])
		left = append(left[:i:i], left[i+1:]...)
	}
}

func TestOrder(t *testing.T) {
	type nodes = []placement.Node
	fill, here := placement.Fill{}, placement.Fill{At: placement.Labels{Region: "eu", Zone: "a"}}
	tests := []struct {
		name   string
		policy placement.Policy
		nodes  nodes
		want   []int
	}{
		{"no node", fill, nil, nil},
		{"fixed", placement.Fixed{}, nodes{at(0.99, 5), at(0, 0), at(0, 0)}, []int{0, 1, 2}},
		{"fixed, and the first one drains", placement.Fixed{}, nodes{draining(at(0, 5)), at(0, 0)}, []int{1}},
		{"spread begins in turn", placement.Spread{}, nodes{at(0.99, 0), at(0, 0), at(0, 0)}, []int{0, 1, 2}},
		{"spread goes where there are fewest", placement.Spread{}, nodes{at(0, 2), at(0, 1), at(0, 2)}, []int{1, 0, 2}},
		{"spread uses all nodes", placement.Spread{}, nodes{{Transports: 1, All: 9}, {All: 3}, {All: 2}}, []int{2, 1, 0}},
		{"spread, and one drains", placement.Spread{}, nodes{at(0, 2), draining(at(0, 0)), at(0, 1)}, []int{2, 0}},

		{"a new Router goes to the fullest with headroom", fill, nodes{at(0.1, 0), at(0.44, 0), at(0.3, 0)}, []int{1, 2, 0}},
		{"idle nodes are taken in turn", fill, nodes{at(0, 0), at(0, 0)}, []int{0, 1}},
		{"without headroom anywhere the fullest below the watermark", fill, nodes{at(0.46, 0), at(0.54, 0), at(0.5, 0)}, []int{1, 2, 0}},
		{"headroom comes before fullness", fill, nodes{at(0.46, 0), at(0.1, 0)}, []int{1, 0}},
		{"a Router stays", fill, nodes{at(0.1, 1), at(0.44, 0), at(0.3, 0)}, []int{0, 1, 2}},
		{"it stays without headroom", fill, nodes{at(0.54, 1), at(0.44, 0)}, []int{0, 1}},
		{"it stays on the fullest of several", fill, nodes{at(0.1, 9), at(0.5, 1), at(0.54, 0)}, []int{1, 0, 2}},
		{"it spills near the watermark", fill, nodes{at(0.55, 1), at(0.2, 0), at(0.3, 0)}, []int{2, 1, 0}},
		{"it returns where it was", fill, nodes{at(0.7, 9), at(0.2, 1), at(0.3, 0)}, []int{1, 2, 0}},
		{"near every watermark a Router stays where it is about as loaded", fill, nodes{at(0.81, 0), at(0.84, 1), at(0.82, 0)}, []int{1, 0, 2}},
		{"near every watermark the least loaded", fill, nodes{at(0.9, 9), at(0.7, 0), at(0.8, 0)}, []int{1, 2, 0}},
		{"busy nodes are left out", fill, nodes{at(0.95, 9), at(0.94, 0), at(1, 0)}, []int{1}},
		{"another limit", placement.Fill{Limit: 0.9}, nodes{at(0.95, 9), at(0.89, 0), at(0.9, 0)}, []int{1}},
		{"no limit", placement.Fill{Limit: math.Inf(1)}, nodes{at(1, 9), at(1, 0)}, []int{0, 1}},
		{"nodes that drain are left out", fill, nodes{draining(at(0.1, 9)), at(0.94, 0)}, []int{1}},
		{"a node's own watermark", fill, nodes{marked(at(0.2, 1), 0.2), at(0.1, 0)}, []int{1, 0}},

		{"a load that has fallen just now counts", fill, nodes{peaked(at(0.3, 0), 0.5), at(0.4, 0)}, []int{1, 0}},
		{"what is assumed counts", fill, nodes{assuming(at(0.3, 0), 0.2, 0, 0), at(0.4, 0)}, []int{1, 0}},
		{"and so does what the node was asked for", fill, nodes{assuming(at(0.3, 0), 0, 0.01, 20), at(0.4, 0)}, []int{1, 0}},
		{"what is reserved counts for a new Router", fill, nodes{reserving(at(0.3, 0), 0.05, 0.2), at(0.4, 0)}, []int{1, 0}},
		{"it does not for the Router's own transports", fill, nodes{reserving(at(0.3, 1), 0.05, 0.5), at(0.4, 0)}, []int{0, 1}},
		{"nor does it make a node busy", fill, nodes{reserving(at(0.5, 0), 0.1, 0.9)}, []int{0}},
		{"together they make a node busy", fill, nodes{assuming(at(0.8, 0), 0.1, 0.01, 6)}, nil},

		{"the own region first, whatever its load", here, nodes{labelled("us", "a", 0.2, 1), labelled("eu", "b", 0.94, 0), labelled("", "", 0, 0)}, []int{1, 0, 2}},
		{"another region only when the own is busy", here, nodes{labelled("us", "", 0.2, 0), labelled("eu", "", 0.95, 0)}, []int{0}},
		{"the own zone first", here, nodes{labelled("eu", "b", 0.4, 0), labelled("eu", "a", 0.1, 0)}, []int{1, 0}},
		{"the Router's node before the own zone", here, nodes{labelled("eu", "b", 0.4, 1), labelled("eu", "a", 0.1, 0)}, []int{0, 1}},
		{"room before the own zone", here, nodes{labelled("eu", "b", 0.1, 0), labelled("eu", "a", 0.5, 0)}, []int{0, 1}},
		{"the own zone among those about as loaded", here, nodes{labelled("eu", "b", 0.81, 0), labelled("eu", "a", 0.84, 0)}, []int{1, 0}},
		{"labels say nothing to an application without", fill, nodes{labelled("us", "b", 0.1, 0), labelled("eu", "a", 0.2, 0)}, []int{1, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, order(tt.policy, tt.nodes)) })
	}
}

// Fronts choose at the same time. A node is asked for what it was chosen for only as long as that is true.
func TestTerms(t *testing.T) {
	for _, tt := range []struct {
		name   string
		policy placement.Policy
		node   placement.Node
		want   placement.Terms
	}{
		{"a Router's own node", placement.Fill{}, at(0.5, 1), placement.Terms{Below: 0.55}},
		{"headroom", placement.Fill{}, at(0.4, 0), placement.Terms{Below: 0.45, New: true}},
		{"no headroom", placement.Fill{}, at(0.5, 0), placement.Terms{Below: 0.55, New: true}},
		{"near the watermark", placement.Fill{}, at(0.7, 0), placement.Terms{Below: 0.95}},
		{"near the watermark, without a limit", placement.Fill{Limit: math.Inf(1)}, at(0.7, 0), placement.Terms{}},
		{"a watermark of the node's", placement.Fill{}, marked(at(0.1, 1), 0.3), placement.Terms{Below: 0.25}},
		{"another region", placement.Fill{At: placement.Labels{Region: "eu"}}, at(0.4, 0), placement.Terms{Below: 0.45, New: true}},
		{"fixed", placement.Fixed{}, at(0.5, 0), placement.Terms{}},
		{"spread", placement.Spread{}, at(0.5, 0), placement.Terms{}},
	} {
		i, terms := tt.policy.Best([]placement.Node{tt.node})
		require.Zero(t, i, tt.name)
		require.InDelta(t, tt.want.Below, terms.Below, 1e-9, tt.name)
		require.Equal(t, tt.want.New, terms.New, tt.name)
		require.True(t, tt.node.Takes(terms), tt.name)
	}
}

func TestNodeTakesOnTerms(t *testing.T) {
	n := reserving(at(0.3, 0), 0.1, 0.2)
	require.True(t, n.Takes(placement.Terms{}))
	require.True(t, n.Takes(placement.Terms{Below: 0.45}))
	require.False(t, n.Takes(placement.Terms{Below: 0.4}), "what is assumed counts")
	require.False(t, n.Takes(placement.Terms{Below: 0.45, New: true}), "what is reserved does, too")
	require.True(t, n.Takes(placement.Terms{Below: 0.51, New: true}))
}

func TestChoosingDoesNotAllocate(t *testing.T) {
	nodes := thousand()
	require.Zero(t, testing.AllocsPerRun(10, func() { placement.Fill{At: placement.Labels{Region: "eu", Zone: "a"}}.Best(nodes) }))
}

// thousand are as many nodes, most of which are as full as they are to be.
func thousand() []placement.Node {
	nodes := make([]placement.Node, 1000)
	for i := range nodes {
		nodes[i] = labelled("eu", string("abc"[i%3]), 0.4+0.2*float64(i%97)/97, 0)
		nodes[i] = assuming(nodes[i], 0.01, 0.001, i%2)
	}
	nodes[700].Transports = 3
	return nodes
}

// A decision among 1,000 nodes.
func BenchmarkFill(b *testing.B) {
	nodes, p := thousand(), placement.Fill{At: placement.Labels{Region: "eu", Zone: "a"}}
	for b.Loop() {
		p.Best(nodes)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
}
