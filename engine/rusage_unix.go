//go:build unix

package engine

import (
	"runtime"
	"syscall"
	"time"

	"gazpacho/engine/api"
)

// readUsage returns what the whole process used so far, all threads together; maxrss in kilobytes.
func readUsage() (*api.WorkerResourceUsageResponse, cpuTimes, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return nil, cpuTimes{}, api.Errorf("getrusage failed: %v", err)
	}
	maxrss := uint64(u.Maxrss)
	if runtime.GOOS == "darwin" {
		maxrss /= 1024 // counted in bytes there
	}
	return &api.WorkerResourceUsageResponse{
		RuMaxrss: maxrss,
		RuIxrss:  uint64(u.Ixrss), RuIdrss: uint64(u.Idrss), RuIsrss: uint64(u.Isrss),
		RuMinflt: uint64(u.Minflt), RuMajflt: uint64(u.Majflt), RuNswap: uint64(u.Nswap),
		RuInblock: uint64(u.Inblock), RuOublock: uint64(u.Oublock),
		RuMsgsnd: uint64(u.Msgsnd), RuMsgrcv: uint64(u.Msgrcv), RuNsignals: uint64(u.Nsignals),
		RuNvcsw: uint64(u.Nvcsw), RuNivcsw: uint64(u.Nivcsw),
	}, cpuTimes{time.Duration(u.Utime.Nano()), time.Duration(u.Stime.Nano())}, nil
}
