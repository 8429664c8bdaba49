package engine

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// tick is the unit of times in /proc/stat: USER_HZ is 100 on all systems that Go supports.
const tick = time.Second / 100

// readMachine reads the times of the machine's CPUs. In a container they are the whole machine's, also where it has a limit; where
// they are hidden, the result is zero.
func readMachine() machineTime {
	f, err := os.Open("/proc/stat")
	if err != nil {
		return machineTime{}
	}
	defer f.Close()
	var b [512]byte // more than the first line has
	n, _ := f.Read(b[:])
	return parseMachine(b[:n])
}

// parseMachine reads the first line of /proc/stat (proc_stat(5)): "cpu" and the times of user, nice, system, idle, iowait, irq,
// softirq and steal. What follows is in user and nice already. Waiting for disks is idle time.
func parseMachine(stat []byte) (t machineTime) {
	line, _, whole := bytes.Cut(stat, []byte{'\n'})
	fields := bytes.Fields(line)
	if !whole || len(fields) < 9 || string(fields[0]) != "cpu" {
		return machineTime{}
	}
	for i, field := range fields[1:9] {
		ticks, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return machineTime{}
		}
		t.total += time.Duration(ticks) * tick
		if i == 3 || i == 4 {
			t.idle += time.Duration(ticks) * tick
		}
	}
	return t
}
