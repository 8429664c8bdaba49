//go:build unix

package engine

import (
	"runtime"
	"syscall"

	"gazpacho/engine/api"
)

// resourceUsage returns what the whole process used so far, all threads together: times in milliseconds, maxrss in
// kilobytes, as upstream gives them.
func resourceUsage() (api.ResponseBody, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return nil, api.Errorf("getrusage failed: %v", err)
	}
	maxrss := uint64(u.Maxrss)
	if runtime.GOOS == "darwin" {
		maxrss /= 1024 // counted in bytes there
	}
	return &api.WorkerResourceUsageResponse{
		RuUtime: milliseconds(u.Utime), RuStime: milliseconds(u.Stime), RuMaxrss: maxrss,
		RuIxrss: uint64(u.Ixrss), RuIdrss: uint64(u.Idrss), RuIsrss: uint64(u.Isrss),
		RuMinflt: uint64(u.Minflt), RuMajflt: uint64(u.Majflt), RuNswap: uint64(u.Nswap),
		RuInblock: uint64(u.Inblock), RuOublock: uint64(u.Oublock),
		RuMsgsnd: uint64(u.Msgsnd), RuMsgrcv: uint64(u.Msgrcv), RuNsignals: uint64(u.Nsignals),
		RuNvcsw: uint64(u.Nvcsw), RuNivcsw: uint64(u.Nivcsw),
	}, nil
}

func milliseconds(t syscall.Timeval) uint64 { return uint64(t.Nano() / 1e6) }
