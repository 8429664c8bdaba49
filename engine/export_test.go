package engine

import "time"

// ArmedTimers returns how many timers of all shards wait for their time.
func (w *Worker) ArmedTimers() int { return w.host.runner.ArmedTimers() }

// ServerSize returns how many username fragments and tuples a WebRtcServer knows.
func (w *Worker) ServerSize(id string) (fragments, tuples int) {
	server, _ := w.servers.Find(id)
	return server.Size()
}

// NewLoadMeter returns what turns the CPU time used until an instant into the fraction used of so many cores. machine tells the time
// that all CPUs of the machine have had until then.
func NewLoadMeter(cores int, machine func() (idle, total time.Duration)) func(at, cpu time.Duration) float64 {
	m := newLoadMeter(cores, func() (t machineTime) {
		t.idle, t.total = machine()
		return t
	})
	return func(at, cpu time.Duration) float64 { return m.fraction(cpuSample{at, cpu}) }
}

// NewUsageScale returns what turns CPU times of the process into those that the application is told.
func NewUsageScale(mode UsageMode, cores int, workers func() int) func(user, system time.Duration) (toldUser, toldSystem time.Duration) {
	s := &usageScale{mode: mode, cores: cores, workers: workers}
	return func(user, system time.Duration) (time.Duration, time.Duration) {
		told := s.add(cpuTimes{user, system})
		return told.user, told.system
	}
}
