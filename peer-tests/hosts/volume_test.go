package hosts_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"

	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rtcpeer"
)

// What is sent in volume.
var batches = []struct{ messages, size int }{{20_000, 1 << 10}, {500, 200 << 10}, {1, 15 << 20}}

const (
	maxVolumeMessage = 16 << 20
	// maxAhead is how many bytes the sender may be ahead of the slowest receiver. Applications have to see to that with a single
	// worker too: what does not fit a transport's buffer for its peer is dropped.
	maxAhead = 4 << 20
)

// TestDataInVolume sends large amounts of data from one peer to one on each node, of which one is on the sender's own. All of it
// arrives, in order, and none can be read on its way.
func TestDataInVolume(t *testing.T) {
	c := newCapture(t, marker)
	r := app.Start(t, workerBinary).NewRouter()
	sender := join(t, r, maxVolumeMessage, app.Opus)
	data := sender.ProduceData(rtcpeer.Stream)
	var receivers []*receiver
	for range nodes {
		p := &receiver{peer: join(t, r, maxVolumeMessage, app.Opus), came: make(chan struct{}, 1)}
		p.Channel.OnMessage(p.receive)
		p.ConsumeData(data, rtcpeer.Stream)
		p.Opened.Wait(t, "a data channel", func(struct{}) bool { return true })
		receivers = append(receivers, p)
	}
	sender.Opened.Wait(t, "the sender's data channel", func(struct{}) bool { return true })
	sent := 0
	for _, b := range batches {
		began := time.Now()
		for range b.messages {
			for _, p := range receivers {
				p.wait(t, sent-maxAhead/b.size)
			}
			require.NoError(t, sender.Channel.Send(message(sent, b.size)))
			sent++
		}
		for _, p := range receivers {
			p.wait(t, sent)
		}
		t.Logf("%d messages of %d KB have arrived at each node, in %.1f s", b.messages, b.size>>10, time.Since(began).Seconds())
	}
	readable := sendInClear(t)
	c.finish()
	requireUnreadable(t, c, readable)
}

// message returns the n-th message: its number, and the marker again and again.
func message(n, size int) []byte {
	b := fmt.Appendf(make([]byte, 0, size), "%d", n)
	return append(b, bytes.Repeat(marker, size/len(marker)+1)[:size-len(b)]...)
}

// receiver takes messages without keeping them.
type receiver struct {
	*peer
	came chan struct{} // has an item after each message

	mu    sync.Mutex
	next  int
	wrong string // what came first that was not the next message
}

func (p *receiver) receive(m webrtc.DataChannelMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wrong == "" && !bytes.Equal(m.Data, message(p.next, len(m.Data))) {
		p.wrong = fmt.Sprintf("message %d was expected, not %d bytes that begin %.20q", p.next, len(m.Data), m.Data)
	}
	p.next++
	signal(p.came)
}

// wait waits until n messages have come, as long as they come.
func (p *receiver) wait(t *testing.T, n int) {
	t.Helper()
	for {
		p.mu.Lock()
		got, wrong := p.next, p.wrong
		p.mu.Unlock()
		require.Empty(t, wrong, "on node %s", p.node)
		if got >= n {
			return
		}
		select {
		case <-p.came:
		case <-time.After(app.Patience):
			require.FailNow(t, "no more messages come", "on node %s: %d of %d", p.node, got, n)
		}
	}
}

// signal puts an item into a channel that has room for one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
