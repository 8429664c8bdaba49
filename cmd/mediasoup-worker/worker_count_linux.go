package main

import (
	"os"
	"path/filepath"
	"time"
)

// workerCountAge, chosen here, is how long a count stays valid: applications ask for the resource usage of each worker about
// once a second.
const workerCountAge = 10 * time.Second

// workerCounter counts the worker processes on this machine or in this container, by the name of their program.
type workerCounter struct {
	proc    string // path of the proc filesystem
	program string // name of this process's program; empty if unknown
	now     func() time.Time
	count   int
	counted time.Time
}

func newWorkerCounter() *workerCounter {
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return &workerCounter{}
	}
	return &workerCounter{proc: "/proc", program: filepath.Base(exe), now: time.Now}
}

// workers returns the number of worker processes, including this one. It cannot see those of other users.
func (c *workerCounter) workers() int {
	if c.program == "" {
		return 1
	}
	if now := c.now(); c.count == 0 || now.Sub(c.counted) >= workerCountAge {
		c.count, c.counted = max(c.scan(), 1), now
	}
	return c.count
}

func (c *workerCounter) scan() (count int) {
	dir, err := os.Open(c.proc)
	if err != nil {
		return 0
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // after an error, the names read so far
	for _, name := range names {
		if name[0] < '1' || name[0] > '9' {
			continue
		}
		exe, err := os.Readlink(filepath.Join(c.proc, name, "exe"))
		if err == nil && filepath.Base(exe) == c.program {
			count++
		}
	}
	return count
}
