package engine

import (
	"sync"
	"time"

	"gazpacho/engine/api"
)

// loadWindow is the least time over which CPU usage is measured.
const loadWindow = time.Second

// loadMeter measures which fraction of the shards' CPU time is used. It goes by the CPU time of the process, not by how long
// shards have their turns: receiving, decryption, garbage collection and handshakes happen outside of turns too, and a turn
// that the kernel interrupts lasts longer without doing more. It costs nothing between two calls: no goroutine, no timer.
type loadMeter struct {
	cores int // one for each shard

	mu         sync.Mutex
	from, next cpuSample // where the present window began, and where the next one does
}

// cpuSample is the process's CPU time at an instant since the meter was made.
type cpuSample struct{ at, cpu time.Duration }

// fraction returns the fraction used in the window that ends now, from 0 to 1.
func (m *loadMeter) fraction(now cpuSample) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.at-m.next.at >= loadWindow {
		m.from, m.next = m.next, now
	}
	available := time.Duration(m.cores) * (now.at - m.from.at)
	if available <= 0 {
		return 0
	}
	return min(max(float64(now.cpu-m.from.cpu)/float64(available), 0), 1)
}

// processLoad is a loadMeter on this process.
type processLoad struct {
	meter loadMeter
	start time.Time
}

func newProcessLoad(shards int) *processLoad {
	l := &processLoad{meter: loadMeter{cores: shards}, start: time.Now()}
	l.meter.from = l.sample()
	l.meter.next = l.meter.from
	return l
}

// sample reads the process's CPU time. Where the system does not have it, the load is 0.
func (l *processLoad) sample() cpuSample {
	_, used, _ := readUsage()
	return cpuSample{time.Since(l.start), used.user + used.system}
}

// fraction returns the fraction used of the shards' CPU time. It may be called from any goroutine.
func (l *processLoad) fraction() float64 { return l.meter.fraction(l.sample()) }

// Load implements api.Worker.
func (w *Worker) Load() api.Load {
	select {
	case <-w.done:
		return api.Load{}
	default:
	}
	load := api.Load{CPU: w.host.load.fraction()}
	w.scope.Count(&load)
	return load
}
