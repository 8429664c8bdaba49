package placement

import (
	"time"

	"gazpacho/engine/unit"
)

// Chosen here.
const (
	// youth is for how long what was placed on a node is assumed to cause more than is measured: peers connect, cameras start,
	// bandwidth estimation raises layers.
	youth = 20 * time.Second
	// transportCost is what one transport is assumed to need, in cores: mediasoup's rule of thumb is 500 consumers for each core, and
	// a peer has five to ten.
	transportCost = 0.01
	// routerWeight is how many transports a Router counts for that has come to the node, since others follow the first one: a meeting of
	// four, with two transports each.
	routerWeight = 8
)

// Share returns what one more transport is assumed to add to the load of a node with so many cores.
func Share(cores int) float64 { return transportCost / float64(cores) }

// Growth counts what was placed on a node lately, by the number of transports and Routers that there are. What was closed again does not
// count. A transport counts the less, the older it is, since its load shows by itself: as a whole at first, not at all after twenty
// seconds. The zero value is that of a node without any.
type Growth struct {
	// samples are counts in the last seconds, sum is that of all of them.
	samples [youth / time.Second]int
	sum     int
	count   int
	next    unit.Time // when the next sample is due; 0 before the first count
}

// Count says how many transports and Routers there are from now on.
func (g *Growth) Count(now unit.Time, transports, routers int) {
	g.advance(now)
	g.count = transports + routerWeight*routers
}

// Young returns for how many transports the load is not expected to show yet.
func (g *Growth) Young(now unit.Time) float64 {
	g.advance(now)
	return max(0, float64(g.count)-float64(g.sum)/float64(len(g.samples)))
}

// advance takes the samples that are due.
func (g *Growth) advance(now unit.Time) {
	if g.next == 0 || now >= g.next.Add(youth) { // all are, and they are the same
		for i := range g.samples {
			g.samples[i] = g.count
		}
		g.sum, g.next = g.count*len(g.samples), now.Add(time.Second)
		return
	}
	for ; now >= g.next; g.next = g.next.Add(time.Second) {
		i := int(g.next/unit.Time(time.Second)) % len(g.samples)
		g.sum += g.count - g.samples[i]
		g.samples[i] = g.count
	}
}
