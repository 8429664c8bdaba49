package channel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"gazpacho/engine/api"
	"gazpacho/fbs"
)

// Ours: together they keep the end of a process below 100 ms, whatever hangs.
const (
	defaultCloseTime = 60 * time.Millisecond
	defaultStallTime = 30 * time.Millisecond
)

// Reasons for which [Channel.Serve] returns.
var (
	// ErrClosedByApplication means that the application has sent WORKER_CLOSE.
	ErrClosedByApplication = errors.New("closed by the application")
	// ErrHungUp means that the application has closed its side of a stream, or died.
	ErrHungUp = errors.New("channel closed by the application's side")
	// ErrStopped means that Stop was called.
	ErrStopped = errors.New("stopped")
	// ErrWorkerEnded is wrapped when the worker has ended by itself. The worker's own reason follows it.
	ErrWorkerEnded = errors.New("the worker has ended")
)

// Options says what a Channel is made of.
type Options struct {
	In       io.Reader // requests and notifications of the application
	Out      io.Writer // our responses, notifications and logs; a TryWriter saves waking a goroutine for each
	Decoder  Decoder
	Encoder  Encoder
	Settings *Settings
	PID      int // by which WORKER_RUNNING is told apart: the Node library waits for its child's
	Compat   api.Compat

	// MediaLimit is how many bytes may wait for the application before media is dropped; data, requests and state have limits of up
	// to 63 MiB more. Zero: DefaultMediaLimit.
	MediaLimit int

	// CloseTime is how long the worker may take to close, and the last messages to leave, before Serve returns regardless.
	// Zero: 60 ms.
	CloseTime time.Duration
	// StallTime is how long the control loop may go without reading a frame once the application has hung up, and how long
	// it goes on once the application cannot be written to any more. Zero: 30 ms.
	StallTime time.Duration
}

// Channel connects a worker with its application. Create it, create the worker with its Emit and Logger, then Serve.
type Channel struct {
	in       *frameReader
	out      io.Writer
	decoder  Decoder
	pid      int
	logger   *slog.Logger
	outbox   *outbox
	worker   api.Worker
	progress atomic.Uint64 // frames read

	tryWrite func([]byte) int // writes to out what can be written at once

	closeTime, stallTime time.Duration

	handling sync.Mutex // held while the worker handles something: its calls are not concurrent
	closing  bool       // under handling: the worker takes nothing any more

	ending sync.Once
	ended  chan struct{}
	reason error // of the end; read it after ended is closed
}

// New returns a channel that takes notifications and logs, and sends them when it serves.
func New(o Options) *Channel {
	maxSent := MaxPayloadLen
	if o.Compat.SmallFrames {
		maxSent = SmallPayloadLen
	}
	c := &Channel{
		in:      newFrameReader(o.In, MaxPayloadLen),
		out:     o.Out,
		decoder: o.Decoder,
		pid:     o.PID,
		outbox:  newOutbox(o.Encoder, maxSent-sendMargin, cmp.Or(o.MediaLimit, DefaultMediaLimit)),
		ended:   make(chan struct{}),

		tryWrite: tryWriter(o.Out),

		closeTime: cmp.Or(o.CloseTime, defaultCloseTime),
		stallTime: cmp.Or(o.StallTime, defaultStallTime),
	}
	c.logger = NewLogger(o.Settings, c.LogLine)
	return c
}

// Logger returns the logger whose records reach the application as Log messages, filtered by the settings.
func (c *Channel) Logger() *slog.Logger { return c.logger }

// Emit is the worker's [api.Emitter]. Internal events end here.
func (c *Channel) Emit(n *api.Notification) {
	if n.Event.Internal() {
		return
	}
	err := c.outbox.post(n.HandlerID, n, weightOf(n.Event))
	if errors.Is(err, fbs.ErrNotInDialect) {
		c.logger.Debug("notification unknown to this release of mediasoup", TagKey, "info", "event", n.Event)
	} else if err != nil {
		c.logger.Error("notification lost", "event", n.Event, "handlerId", n.HandlerID, "error", err)
	}
}

// LogLine sends a line to the application's log, in the form of [NewLogger]. One that cannot be encoded is lost: there is no other place to tell.
func (c *Channel) LogLine(line string) {
	_ = c.outbox.post("", &api.Log{Data: line}, weightMedia)
}

// Serve announces the worker as running, carries requests to it until the channel ends, closes it, and sends what is
// queued. It always returns an error, the reason of the end: ErrClosedByApplication, ErrHungUp, ErrStopped, ErrWorkerEnded,
// or what makes the incoming stream unintelligible. It returns within Options.CloseTime after the end, though the worker may hang and the
// application may not read. The streams remain open.
func (c *Channel) Serve(w api.Worker) error {
	c.worker = w
	written := make(chan struct{})
	c.Emit(&api.Notification{HandlerID: strconv.Itoa(c.pid), Event: api.EventWorkerRunning})
	go func() {
		defer close(written)
		if err := c.outbox.write(c.out, c.logger); err != nil {
			c.outbox.fail()
			c.endSoon()
		}
	}()
	go func() { c.end(c.control()) }()
	select {
	case <-c.ended:
	case <-w.Done():
		c.end(fmt.Errorf("%w: %w", ErrWorkerEnded, w.Err()))
	}

	deadline, cancel := context.WithTimeout(context.Background(), c.closeTime)
	defer cancel()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		c.closeWorker()
	}()
	await(deadline, closed)
	c.outbox.close()
	await(deadline, written)
	return c.reason
}

// await returns when done is closed, at the latest when the deadline is over.
func await(deadline context.Context, done <-chan struct{}) {
	select {
	case <-done:
	case <-deadline.Done():
	}
}

// Stop makes Serve end, as a signal of the operating system does.
func (c *Channel) Stop() { c.end(ErrStopped) }

// HungUp tells that the application's side of the incoming stream is closed. The control loop finds the end of file
// itself once it has read what came before; this makes Serve end also when the loop is stuck: in a worker that hangs, or
// behind an application that does not read.
func (c *Channel) HungUp() {
	for seen := c.progress.Load(); ; {
		select {
		case <-c.ended:
			return
		case <-time.After(c.stallTime):
		}
		now := c.progress.Load()
		if now == seen {
			c.end(ErrHungUp)
			return
		}
		seen = now
	}
}

// endSoon ends because nothing can be written any more, unless the control loop finds a better reason first: the
// application closes both streams one after the other, perhaps after a last message.
func (c *Channel) endSoon() {
	select {
	case <-c.ended:
	case <-time.After(c.stallTime):
		c.end(ErrHungUp)
	}
}

func (c *Channel) end(reason error) {
	c.ending.Do(func() {
		c.reason = reason
		close(c.ended)
	})
}

// closeWorker closes the worker after the request that it is at, if any.
func (c *Channel) closeWorker() {
	c.handling.Lock()
	defer c.handling.Unlock()
	c.closing = true
	c.worker.Close()
}

// weightOf says which notifications only carry media, or describe single packets, so that the application's state
// survives their loss.
func weightOf(e api.Event) weight {
	switch e {
	case api.EventConsumerRTP, api.EventDirectTransportRTCP,
		api.EventTransportTrace, api.EventProducerTrace, api.EventConsumerTrace:
		return weightMedia
	case api.EventDataConsumerMessage:
		return weightData
	default:
		return weightState
	}
}
