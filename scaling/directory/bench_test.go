package directory_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"gazpacho/scaling/directory"
)

// 100,000 producers over five nodes: what the machines take to register them, to look them up, and to register again what a dead node
// held. Time on the network is not part of it.
func BenchmarkHundredThousand(b *testing.B) {
	const producers = 100_000
	all := make([]directory.Entry, producers)
	for i := range all {
		all[i] = directory.Entry{Key: directory.Key{Tenant: "school", ID: fmt.Sprintf("%08x-0000-4000-8000-%012x", i*2654435761, i)}, Value: "front-1"}
	}
	var lookups []time.Duration
	var register, again time.Duration
	var memory uint64
	for b.Loop() {
		before := heap()
		c := newCluster(5)
		c.run(2 * time.Second)
		begin := time.Now()
		for i, e := range all {
			c.register(b, i%5, "front", e)
			if i%1000 == 0 {
				c.deliver()
			}
		}
		c.deliver()
		register = time.Since(begin)
		memory = heap() - before
		for i := range 20_000 {
			begin := time.Now()
			if _, err := c.nodes[i%5].Lookup(c.now, all[i*5%producers].Key); err != nil {
				b.Fatal(err)
			}
			c.deliver()
			lookups = append(lookups, time.Since(begin))
		}
		c.die(4)
		begin = time.Now()
		c.know()
		c.deliver()
		again = time.Since(begin)
	}
	slices.Sort(lookups)
	b.ReportMetric(float64(memory)/5/(1<<20), "MiB/node")
	b.ReportMetric(register.Seconds()*1e6/producers, "µs/registration")
	b.ReportMetric(float64(lookups[len(lookups)/2])/1e3, "p50-µs/look-up")
	b.ReportMetric(float64(lookups[len(lookups)*99/100])/1e3, "p99-µs/look-up")
	b.ReportMetric(again.Seconds()*1e3, "ms/death")
}

// What a node's replacing all that it has told costs where much of others is held, in a message of 20 bytes.
func BenchmarkReplacingAll(b *testing.B) {
	c := newCluster(3)
	put := func(from, id string) {
		c.nodes[0].Receive(c.now, from, &directory.Message{Kind: directory.Put, First: from == "n2", Entries: []directory.Entry{entry(id, "")}})
	}
	for i := range 100_000 {
		put("n1", fmt.Sprint(i))
	}
	for i := 0; b.Loop(); i++ {
		put("n2", fmt.Sprint("x", i%2))
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// deliver passes messages on at once until there are none.
func (c *cluster) deliver() {
	for sent := true; sent; {
		sent = false
		for n, d := range c.nodes {
			if c.dead[n] {
				continue
			}
			out := *d.Output()
			*d.Output() = directory.Output{}
			for i := range out.Messages {
				m := &out.Messages[i]
				if to := c.index(m.To); !c.dead[to] {
					c.nodes[to].Receive(c.now, c.members[n].Name, &m.Message)
					sent = true
				}
			}
		}
	}
}
