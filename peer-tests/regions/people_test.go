package regions_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rtcpeer"
)

// person is a peer with its transport on a node.
type person struct {
	*rtcpeer.Peer
	*app.Transport
	node host
}

func join(t *testing.T, r *app.Router) *person {
	t.Helper()
	p := &person{
		Peer: rtcpeer.New(t, rtcpeer.Options{
			Protocol: api.ProtocolUDP, Role: api.DTLSRoleClient, IP: peerAddress, Streams: []api.RTPCodecParameters{app.Opus},
		}),
		Transport: r.NewTransport(app.Options{Infos: app.ListenOn("0.0.0.0", api.ProtocolUDP)}),
	}
	p.node = nodeAt(t, p.Candidate(api.ProtocolUDP).Address)
	p.Peer.Connect(p.Transport)
	return p
}

// speaker sends sound.
type speaker struct {
	*person
	producer *app.Producer
	sent     uint16
}

func speak(t *testing.T, r *app.Router) *speaker {
	t.Helper()
	s := &speaker{person: join(t, r)}
	s.producer = s.Produce(api.MediaKindAudio, s.SSRCOf(0))
	return s
}

// say sends n packets in real time.
func (s *speaker) say(t *testing.T, n int) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for range n {
		<-ticker.C
		s.sent++
		require.NoError(t, s.TrySendOn(0, rtp.Header{SequenceNumber: s.sent, Timestamp: 960 * uint32(s.sent)}, text(s.sent)))
	}
}

func text(n uint16) []byte { return fmt.Appendf(nil, "packet %d", n) }

// hears waits for the last packet.
func (p *person) hears(t *testing.T, s *speaker) {
	t.Helper()
	p.RTP.Wait(t, "the last packet at a peer of node "+p.node.name, func(pkt *rtp.Packet) bool { return string(pkt.Payload) == string(text(s.sent)) })
}

// heard returns how many different packets came.
func (p *person) heard() int {
	got := map[string]bool{}
	for _, pkt := range p.RTP.All() {
		got[string(pkt.Payload)] = true
	}
	return len(got)
}
