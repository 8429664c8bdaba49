//go:build !linux

package main

// waitForHangup never returns: without POLLRDHUP, only the control loop notices the end of file.
func waitForHangup(int) { select {} }

// workerCounter does not count on this system.
type workerCounter struct{}

func newWorkerCounter() *workerCounter { return &workerCounter{} }

func (*workerCounter) workers() int { return 1 }
