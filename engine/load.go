package engine

import (
	"sync"
	"time"

	"gazpacho/engine/api"
)

// loadWindow is the least time over which CPU usage is measured.
const loadWindow = time.Second

// loadMeter measures which fraction is used of the CPU time open to the shards. It goes by the CPU time of the process, not by how
// long shards have their turns: receiving, decryption, garbage collection and handshakes happen outside of turns too, and a turn
// that the kernel interrupts lasts longer without doing more. What other processes leave of the machine bounds what is open: two
// busy nodes of one host are full when each has half of it. It costs nothing between two calls: no goroutine, no timer.
type loadMeter struct {
	cores   float64            // one for each shard
	machine func() machineTime // of all processes

	mu         sync.Mutex
	from, next cpuSample   // where the present window began, and where the next one does
	then       machineTime // at next
	whole      machineCores
}

// cpuSample is the process's CPU time at an instant since the meter was made.
type cpuSample struct{ at, cpu time.Duration }

// machineTime is the time that all CPUs of the machine have had since it was started; zero where it is not known.
type machineTime struct{ idle, total time.Duration }

// machineCores is how many cores the machine had on average over some time; zero where that is not known.
type machineCores struct{ idle, total float64 }

func newLoadMeter(cores int, machine func() machineTime) *loadMeter {
	return &loadMeter{cores: float64(cores), machine: machine, then: machine()}
}

// fraction returns the fraction used in the window that ends now, from 0 to 1.
func (m *loadMeter) fraction(now cpuSample) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if span := now.at - m.next.at; span >= loadWindow {
		m.from, m.next = m.next, now
		before := m.then
		m.then = m.machine()
		m.whole = m.then.since(before, span)
	}
	span := now.at - m.from.at
	if span <= 0 {
		return 0
	}
	used, open := float64(now.cpu-m.from.cpu)/float64(span), m.cores
	if m.whole.total > 0 {
		open = min(open, m.whole.total)
	}
	left := open - used
	if m.whole.total > 0 {
		left = min(left, m.whole.idle)
	}
	return min(max(1-left/open, 0), 1)
}

// since returns the cores between two readings.
func (t machineTime) since(before machineTime, span time.Duration) machineCores {
	return machineCores{
		idle:  float64(t.idle-before.idle) / float64(span),
		total: float64(t.total-before.total) / float64(span),
	}
}

// processLoad is a loadMeter on this process.
type processLoad struct {
	meter *loadMeter
	start time.Time
}

// newProcessLoad returns one that looks at the machine, too, unless only this process is to count.
func newProcessLoad(shards int, alone bool) *processLoad {
	machine := readMachine
	if alone {
		machine = func() machineTime { return machineTime{} }
	}
	l := &processLoad{meter: newLoadMeter(shards, machine), start: time.Now()}
	l.meter.from = l.sample()
	l.meter.next = l.meter.from
	return l
}

// sample reads the process's CPU time. Where the system does not have it, the load is that of the others.
func (l *processLoad) sample() cpuSample {
	_, used, _ := readUsage()
	return cpuSample{time.Since(l.start), used.user + used.system}
}

// fraction returns the fraction used of the CPU time open to the shards. It may be called from any goroutine.
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
