//go:build !linux

package main

// waitForHangup never returns: without POLLRDHUP only the control loop notices the end of file.
func waitForHangup(int) { select {} }
