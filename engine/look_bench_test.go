package engine_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/look"
	"gazpacho/engine/unit"
)

// BenchmarkLook looks at a worker with 10,000 consumers on 501 transports of one Router, and reports how long a shard was not to be had
// meanwhile: as long as media may have to wait.
func BenchmarkLook(b *testing.B) {
	var w *engine.Worker
	a := enginetest.NewApp(b, enginetest.ForWorker(b, func() api.Worker { return w }))
	w, err := engine.New(engine.Options{Emit: a.Emit})
	require.NoError(b, err)
	b.Cleanup(w.Close)
	a.CreateRouter("r")
	a.CreateDirect("r", "in")
	a.Produce("in", "p", enginetest.Stream{Codec: enginetest.VP8, SSRC: 10})
	for i := range 10_000 {
		id := fmt.Sprint("out", i/20)
		if i%20 == 0 {
			a.CreateDirect("r", id)
		}
		a.Consume(id, fmt.Sprint("c", i), "p", unit.SSRC(5000+i))
	}
	room := look.RoomID{Router: "r"}
	var history look.History
	var before *engine.Survey
	at := uint32(0)
	for name, act := range map[string]func(){
		"survey":    func() { before = w.Host().Survey(before) },
		"sample":    func() { at += 10; history.Take(at, before.Readings) },
		"room":      func() { w.Host().LookAtRoom(room, "") },
		"transport": func() { w.Host().LookAtTransport(look.TransportID{RoomID: room, Transport: "out7"}) },
	} {
		before = w.Host().Survey(before)
		b.Run(name, func(b *testing.B) {
			waited := waits(w.Host(), func() {
				for b.Loop() {
					act()
				}
			})
			b.ReportMetric(float64(waited[len(waited)*999/1000].Microseconds()), "99.9%-µs")
			b.ReportMetric(float64(waited[len(waited)-1].Microseconds()), "longest-µs")
		})
	}
}

// waits returns how long something else had to wait for the turns of all shards, again and again, while f ran: the shortest first.
func waits(host *engine.Host, f func()) (all []time.Duration) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Microsecond):
			}
			began := time.Now()
			host.TakeTurns()
			all = append(all, time.Since(began))
		}
	}()
	f()
	close(stop)
	<-ended
	if len(all) == 0 { // it was too short
		all = append(all, 0)
	}
	slices.Sort(all)
	return all
}
