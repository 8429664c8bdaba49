package engine

import "time"

// ParseMachine reads /proc/stat.
func ParseMachine(stat []byte) (idle, total time.Duration) {
	t := parseMachine(stat)
	return t.idle, t.total
}

// ReadMachine reads the machine's /proc/stat.
func ReadMachine() (idle, total time.Duration) {
	t := readMachine()
	return t.idle, t.total
}
