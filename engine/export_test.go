package engine

import "time"

// ArmedTimers returns how many timers of all shards wait for their time.
func (w *Worker) ArmedTimers() int { return w.runner.ArmedTimers() }

// ServerSize returns how many username fragments and tuples a WebRtcServer knows.
func (w *Worker) ServerSize(id string) (fragments, tuples int) {
	server, _ := w.servers.Find(id)
	return server.Size()
}

// NewUsageScale returns what turns CPU times of the process into those that the application is told.
func NewUsageScale(mode UsageMode, cores int, workers func() int) func(user, system time.Duration) (toldUser, toldSystem time.Duration) {
	s := &usageScale{mode: mode, cores: cores, workers: workers}
	return func(user, system time.Duration) (time.Duration, time.Duration) {
		told := s.add(cpuTimes{user, system})
		return told.user, told.system
	}
}
