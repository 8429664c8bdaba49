package monitor

import (
	"time"

	"gazpacho/engine/look"
)

// Trend is how a process was over the last ten minutes, the oldest first: a value every ten seconds.
type Trend struct {
	At   []int64   `json:"at"` // seconds since 1970
	CPU  []float64 `json:"cpu"`
	Recv []uint64  `json:"recvBitrate"`
	Send []uint64  `json:"sendBitrate"`
}

// trends are those of all processes, by name. Pages get copies.
type trends map[string]*Trend

// take takes a value of each process, unless the last one is not ten seconds old, and forgets those that are gone.
func (t trends) take(now time.Time, nodes []seen) {
	at := now.Unix() / look.SampleSeconds * look.SampleSeconds
	here := map[string]bool{}
	for i := range nodes {
		n := &nodes[i]
		here[n.Name] = true
		if n.all == nil {
			continue
		}
		own := t[n.Name]
		if own == nil {
			own = &Trend{}
			t[n.Name] = own
		}
		if len(own.At) > 0 && own.At[len(own.At)-1] >= at {
			continue
		}
		sums := sumsOf(n.all)
		own.At, own.CPU = push(own.At, at), push(own.CPU, n.all.CPU)
		own.Recv, own.Send = push(own.Recv, sums.RecvBitrate), push(own.Send, sums.SendBitrate)
	}
	for name := range t {
		if !here[name] {
			delete(t, name)
		}
	}
}

// push appends a value in new memory, as pages may be reading the old one, and drops the oldest of too many.
func push[T any](list []T, v T) []T {
	list = append(list[:len(list):len(list)], v)
	return list[max(0, len(list)-look.MaxSamples):]
}

// sumsOf adds up what all applications have on a process.
func sumsOf(all *look.All) (sums look.Sums) {
	for i := range all.Owners {
		sums.Add(&all.Owners[i].Sums)
	}
	return sums
}

// copyOf returns a trend as it is now; nil if there is none.
func (t trends) copyOf(name string) *Trend {
	if own := t[name]; own != nil {
		c := *own
		return &c
	}
	return nil
}
