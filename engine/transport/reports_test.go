package transport_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
)

// However many producers a peer has, their reports come together, behind one another and with one reference time; a
// compound packet that would be too long is divided, and each part begins with a report (RFC 3550 section 6.1).
func TestReceiverReportsOfSeveralProducersComeTogether(t *testing.T) {
	r := newFixture(t)
	in := r.connected()
	const producers = 70
	for i := range unit.SSRC(producers) {
		ssrc := 10 + 2*i
		req := enginetest.Video(ssrc).Produce("p")
		req.ProducerID = "p" + string(rune('a'+i))
		req.RTPParameters.MID = ""
		_, err := in.Produce(r.now, req)
		require.NoError(t, err)
	}
	report := func() (compounds [][]rtcp.Packet) {
		before := len(r.sockets[0].Sent())
		r.now = r.now.Add(2 * time.Second)
		in.HandleTimeout(r.now)
		in.Settle(r.now)
		for _, b := range r.sockets[0].Sent()[before:] {
			pkts, err := wirertcp.Parse(b)
			require.NoError(t, err)
			compounds = append(compounds, pkts)
		}
		return compounds
	}
	require.Empty(t, report(), "nothing came yet")
	for i := range unit.SSRC(producers) {
		r.receive(in, 0, peerAddr, enginetest.KeyFrame(10+2*i, 1))
	}
	in.Settle(r.now)
	reported, references := map[uint32]bool{}, 0
	for _, pkts := range report() {
		require.IsType(t, &rtcp.ReceiverReport{}, pkts[0])
		for _, pkt := range pkts {
			switch pkt := pkt.(type) {
			case *rtcp.ReceiverReport:
				for _, b := range pkt.Reports {
					reported[b.SSRC] = true
				}
			case *rtcp.ExtendedReport:
				references++
			}
		}
	}
	require.Len(t, reported, producers)
	require.Equal(t, 1, references)
}
