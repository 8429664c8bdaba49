package engine

import (
	"fmt"
	"time"

	"gazpacho/engine/api"
)

// UsageMode selects the meaning of the CPU times that answer WORKER_GET_RESOURCE_USAGE. Applications read their growth over an
// interval as per cent of one core, and consider a worker full near 100, because the C++ worker has one thread.
// docs/cpu-shares.md has the reasons.
type UsageMode uint8

const (
	// UsageShare: 100 means that the worker uses up its share of the cores, which are divided among the worker processes
	// on them. A single worker on eight cores is full when it uses all eight; eight workers are when each uses one.
	UsageShare UsageMode = iota
	// UsageProcess: 100 means one core, as the operating system counts. A worker on eight cores may reach 800.
	UsageProcess
	// UsageMachine: 100 means all cores that the worker may use, even if other processes use them too.
	UsageMachine
)

var usageModeNames = []string{"share", "process", "machine"}

// ParseUsageMode reads a mode's name; the empty one is that of UsageShare.
func ParseUsageMode(name string) (UsageMode, error) {
	for i, known := range usageModeNames {
		if name == known || name == "" {
			return UsageMode(i), nil
		}
	}
	return 0, fmt.Errorf("invalid value '%s': want share, process or machine", name)
}

// cpuTimes are the CPU times of the process so far.
type cpuTimes struct{ user, system time.Duration }

// usageScale converts the CPU times of the process into those for the application. These never decrease, even when the number of
// workers changes: only what is used from then on is divided by the new share.
type usageScale struct {
	mode      UsageMode
	cores     int
	workers   func() int // worker processes on these cores, this one included
	last      cpuTimes
	told      cpuTimes
	remainder cpuTimes // of the divisions, in core-nanoseconds
}

// add returns the converted times when the process has used now in all.
func (s *usageScale) add(now cpuTimes) cpuTimes {
	numerator, denominator := s.ratio()
	scale := func(told, remainder *time.Duration, used time.Duration) {
		product := used*numerator + *remainder
		*told, *remainder = *told+product/denominator, product%denominator
	}
	scale(&s.told.user, &s.remainder.user, now.user-s.last.user)
	scale(&s.told.system, &s.remainder.system, now.system-s.last.system)
	s.last = now
	return s.told
}

// ratio returns by which fraction times are multiplied: one divided by the share in cores. A share below one core counts as
// one, so that no worker looks busier than it is.
func (s *usageScale) ratio() (numerator, denominator time.Duration) {
	cores := time.Duration(max(s.cores, 1))
	switch s.mode {
	case UsageProcess:
		return 1, 1
	case UsageMachine:
		return 1, cores
	}
	workers := time.Duration(1)
	if s.workers != nil {
		workers = time.Duration(max(s.workers(), 1))
	}
	return min(workers, cores), cores
}

// resourceUsage answers WORKER_GET_RESOURCE_USAGE: times in milliseconds, maxrss in kilobytes, as the C++ worker gives them.
func (w *Worker) resourceUsage() (api.ResponseBody, error) {
	usage, times, err := readUsage()
	if err != nil {
		return nil, err
	}
	told := w.usage.add(times)
	usage.RuUtime, usage.RuStime = uint64(told.user.Milliseconds()), uint64(told.system.Milliseconds())
	return usage, nil
}
