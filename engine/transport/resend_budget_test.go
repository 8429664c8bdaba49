package transport_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// nackingPeer is a plain transport with consumers of several video streams, 500 kbit/s each, whose peer asks for everything again.
type nackingPeer struct {
	*fixture
	in, out *transport.Plain
	streams int
	seq     uint16
	first   []uint16 // the first number that each consumer sent with
}

const (
	videoPacket   = 1250 // bytes
	videoInterval = 20 * time.Millisecond
)

func newNackingPeer(t *testing.T, streams int) *nackingPeer {
	r := &nackingPeer{fixture: newFixture(t), streams: streams}
	r.in, r.out = r.connected(), r.connected()
	for i := range uint32(streams) {
		p := r.produce(r.in.Transport, fmt.Sprint("p", i), enginetest.Video(unit.SSRC(10_000+10*i)))
		c := r.consume(r.out.Transport, p, fmt.Sprint("c", i), unit.SSRC(20_000+10*i), &feedbackRecorder{})
		r.attach(r.out.Transport, p, c)
		p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
	}
	return r
}

// count adds up what the receiver's transport sent since the last call, and forgets it.
func (r *nackingPeer) count() (n int) {
	for _, b := range r.sockets[1].Take() {
		n += len(b)
	}
	return n
}

// media sends the next n packets of each stream and returns what of it went to the receiver.
func (r *nackingPeer) media(n int) int {
	for range n {
		for i := range uint32(r.streams) {
			b := enginetest.KeyFrame(unit.SSRC(10_000+10*i), unit.SeqNo(r.seq))
			binary.BigEndian.PutUint32(b[4:], uint32(r.now.Milliseconds()*90))
			b = append(b, make([]byte, videoPacket)...)[:videoPacket]
			r.receive(r.in, 0, peerAddr, b)
			if r.seq == 0 {
				sent := r.sockets[1].Sent()
				r.first = append(r.first, uint16(enginetest.ParseRTP(r.t, sent[len(sent)-1]).SequenceNumber))
			}
		}
		r.seq++
	}
	r.sockets[0].Take()
	return r.count()
}

// play sends media for a while, n packets of each stream at a time.
func (r *nackingPeer) play(d time.Duration, n int) {
	for range d / videoInterval {
		r.media(n)
		r.now = r.now.Add(videoInterval)
	}
}

// nack asks for the newest n packets of each stream, in one datagram, and returns its length and what came back.
func (r *nackingPeer) nack(n int, more ...rtcp.Packet) (in, out int) {
	pkts := more
	for i, first := range r.first {
		pairs := make([]rtcp.NackPair, 0, n/17+1)
		for k := 0; k < n; k += 17 {
			pairs = append(pairs, rtcp.NackPair{PacketID: first + r.seq - uint16(n) + uint16(k), LostPackets: 0xffff})
		}
		pkts = append(pkts, &rtcp.TransportLayerNack{MediaSSRC: uint32(20_000 + 10*i), Nacks: pairs})
	}
	b, err := rtcp.Marshal(pkts)
	require.NoError(r.t, err)
	r.receive(r.out, 0, peerAddr, b)
	return len(b), r.count()
}

// nearby are reports that say that the receiver is no distance away.
func (r *nackingPeer) nearby() []rtcp.Packet {
	rr := &rtcp.ReceiverReport{}
	for i := range r.streams {
		rr.Reports = append(rr.Reports, rtcp.ReceptionReport{
			SSRC: uint32(20_000 + 10*i), LastSenderReport: unit.CompactNTP(r.now.NTP()) - 2, Delay: 1,
		})
	}
	return []rtcp.Packet{rr}
}

// A receiver that asks for all it got in two seconds, as often as it can, gets half as much again and no more: also when it says that it is near,
// and asks each millisecond.
func TestRetransmissionsHaveABudget(t *testing.T) {
	for _, test := range []struct {
		name    string
		streams int
		nearby  bool
	}{
		{"one stream", 1, false},
		{"five streams", 5, false},
		{"five streams, and next to no distance", 5, true},
		{"twenty streams, and next to no distance", 20, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newNackingPeer(t, test.streams)
			r.play(2*time.Second, 1)
			in, media, resent, longest := 0, 0, 0, 0
			for range 3 * time.Second / videoInterval {
				media += r.media(1)
				for range 20 {
					var more []rtcp.Packet
					if test.nearby {
						more = r.nearby()
					}
					n, out := r.nack(102, more...)
					in, resent, longest = in+n, resent+out, max(longest, out)
					r.now = r.now.Add(time.Millisecond)
				}
			}
			t.Logf("in 3 s: NACKs %d bytes, media %d bytes, retransmissions %d bytes, %d at most in one turn", in, media, resent, longest)
			const floor = 3 * 600_000 / 8 // bytes
			require.LessOrEqual(t, resent, max(media/2, floor)+256<<10)
			require.GreaterOrEqual(t, resent, min(media, max(media/2, floor))*8/10, "what the budget allows is used")
			require.LessOrEqual(t, longest, 256<<10+2*videoPacket)
			require.NotZero(t, r.out.Drops().OverBudget)
		})
	}
}

// One datagram about twenty streams must not make a turn of tens of megabytes: others wait for its end.
func TestOneDatagramAboutManyStreams(t *testing.T) {
	r := newNackingPeer(t, 20)
	r.play(2*time.Second, 25)
	in, out := r.nack(2500)
	t.Logf("a datagram of %d bytes: %d bytes of retransmissions", in, out)
	require.Positive(t, out)
	require.LessOrEqual(t, out, 256<<10+2*videoPacket)
	_, out = r.nack(2500)
	require.Zero(t, out, "nothing more at the same time")
}

// Losses of an honest receiver are repaired: one packet in ten, and a gap of 200 ms.
func TestHonestLossesAreRepaired(t *testing.T) {
	r := newNackingPeer(t, 5)
	for i := range 10 * time.Second / videoInterval {
		r.play(videoInterval, 1)
		if i%10 == 9 {
			_, out := r.nack(1)
			require.GreaterOrEqual(t, out, 5*videoPacket)
		}
	}
	r.now = r.now.Add(time.Second)
	_, out := r.nack(10)
	require.GreaterOrEqual(t, out, 5*10*videoPacket)
	require.Zero(t, r.out.Drops().OverBudget)
}

// Full buffers, five of 2,500 packets each, are asked for as often as the round-trip time allows.
func TestFullBuffersAskedForAgainAndAgain(t *testing.T) {
	for name, nearby := range map[string]bool{"unknown distance": false, "next to no distance": true} {
		t.Run(name, func(t *testing.T) {
			r := newNackingPeer(t, 5)
			r.play(2*time.Second, 25)
			in, resent := 0, 0
			for range 3 * time.Second / (21 * time.Millisecond) {
				var more []rtcp.Packet
				if nearby {
					more = r.nearby()
				}
				n, out := r.nack(2500, more...)
				in, resent = in+n, resent+out
				r.now = r.now.Add(21 * time.Millisecond)
			}
			t.Logf("in 3 s: NACKs %d bytes, retransmissions %d bytes", in, resent)
			require.Less(t, resent, 7<<20, "half of the 62 Mbit/s that were sent before, falling")
		})
	}
}
