package front_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// The session with a node is cut under 200 requests a second, for both nodes in turn. What concerns the other node is answered as
// ever. What concerns this one is refused after 8 s, and all that is younger is answered when the session goes on. Consumers that
// are made too late are closed again.
func TestCutUnderLoad(t *testing.T) {
	for _, cut := range []time.Duration{time.Second, 10 * time.Second, 40 * time.Second} {
		t.Run(cut.String(), func(t *testing.T) {
			r := newRoom(t)
			r.produce()
			r.must(api.MethodTransportConsume, "t1", consumeRequest("c1", simulcast, false))
			r.nodes[1].freeze()
			l := &loadOnRoom{room: r}
			l.run(min(cut, leaseTime))
			if cut > leaseTime {
				r.nodes[1].end()
				r.await("the node is gone", func() bool { return r.try(api.MethodTransportDump, "t1", nil).err != nil })
				l.run(cut - leaseTime)
			} else {
				r.front().Do(r.nodes[1].thaw)
			}
			l.run(time.Second)

			for _, a := range l.answers[0] {
				require.NoError(t, receive(t, a).err)
			}
			refused, made := map[string]int{}, 0
			for i, a := range l.answers[1] {
				switch got := receive(t, a); {
				case got.err != nil:
					refused[got.err.Error()]++
				case l.makes(i):
					made++
				}
			}
			switch cut {
			case time.Second:
				require.Empty(t, refused)
			case 10 * time.Second:
				require.Len(t, refused, 2, "dumps and consumers: %v", refused)
				require.Equal(t, 2*l.perSecond()+1, refused[dumpSilent]+refused[consumeSilent], "of the first two seconds")
			default:
				require.Positive(t, refused[dumpSilent])
				require.Positive(t, refused["node node2 is gone: power cut [method:transport.dump]"])
				require.Zero(t, made)
				return
			}
			consume, closed := r.nodes[1].count(api.MethodTransportConsume), r.nodes[1].count(api.MethodTransportCloseConsumer)
			require.Equal(t, made, consume-closed-1, "c1 is one more")
		})
	}
}

const (
	leaseTime     = 31 * time.Second
	dumpSilent    = "node node2 does not answer [method:transport.dump]"
	consumeSilent = "node node2 does not answer [method:transport.consume]"
)

// loadOnRoom makes requests that concern the first node and the second one in turn.
type loadOnRoom struct {
	*room
	answers [2][]<-chan answer
}

func (l *loadOnRoom) perSecond() int { return 100 } // of each node

// makes reports whether a request to a node was to make a consumer. All others look at a transport.
func (l *loadOnRoom) makes(i int) bool { return i%50 == 0 }

// run makes requests for a while.
func (l *loadOnRoom) run(d time.Duration) {
	l.t.Helper()
	for range int(d/time.Second) * l.perSecond() {
		i := len(l.answers[0])
		for node := range l.answers {
			transport := fmt.Sprint("t", node)
			if l.makes(i) {
				q := consumeRequest(fmt.Sprint("load", node, "-", i), simulcast, false)
				l.answers[node] = append(l.answers[node], l.send(api.MethodTransportConsume, transport, q))
			} else {
				l.answers[node] = append(l.answers[node], l.send(api.MethodTransportDump, transport, nil))
			}
		}
		l.front().Do(func() {})
		l.clock.advance(time.Second / time.Duration(l.perSecond()))
	}
	l.front().Do(func() {})
}
