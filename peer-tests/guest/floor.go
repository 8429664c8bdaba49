package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// turn is for how long somebody may have the floor, speech for how long of it they speak.
const (
	turn   = 5 * time.Second
	speech = 4 * time.Second
)

// floor is what all guests share: they speak one after the other, and stand still together.
type floor struct {
	guests int
	still  atomic.Bool
}

// speaks returns for how long the i-th guest has been speaking, if it is, at a time since the epoch.
func (f *floor) speaks(i int, now time.Duration) (since time.Duration, does bool) {
	since = now % turn
	return since, int(now/turn)%f.guests == i && since < speech
}

// obey takes the signals that stop and start all guests.
func (f *floor) obey(ctx context.Context) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1, syscall.SIGUSR2)
	defer signal.Stop(signals)
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			f.still.Store(s == syscall.SIGUSR1)
		}
	}
}
