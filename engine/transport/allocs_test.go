package transport_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/netio"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// drain is a socket that keeps nothing.
type drain struct{ sent int }

func (d *drain) LocalAddr() netip.AddrPort { return peerAddr }
func (d *drain) Close()                    {}

func (d *drain) Send(_ netip.AddrPort, b *netio.Batch) (sent, dropped int) {
	d.sent += b.Len()
	return b.Len(), 0
}

// From the socket to the sockets of the consumers, with SRTP, a forwarded packet costs no allocation. What is left of the
// bound is for the race detector, under which pools lose some of their contents.
func TestForwardingDoesNotAllocate(t *testing.T) {
	const consumers, burst = 20, 10
	r := newFixture(t)
	out := &drain{}
	r.env.Listen = func(netio.UDPConfig) (transport.Socket, error) { return out, nil }
	in := r.connected()
	p := r.produce(in.Transport, "p", enginetest.Video(10))
	suite := api.SRTPCryptoSuiteAEADAES128GCM
	var all []*transport.Consumer
	for i := range unit.SSRC(consumers) {
		to := r.plain(func(o *api.PlainTransportOptions) { o.EnableSRTP, o.SRTPCryptoSuite = true, &suite })
		connect := enginetest.ConnectPlainRequest(peerAddr)
		connect.SRTPParameters = to.Dump().(*api.PlainTransportDumpResponse).SRTPParameters
		_, err := to.Connect(r.now, connect)
		require.NoError(t, err)
		c := r.consume(to.Transport, p, fmt.Sprint("c", i), 100+2*i, &feedbackRecorder{})
		r.attach(to.Transport, p, c)
		all = append(all, c)
	}
	p.AddSubscriber(&forwarder{all})
	frame := append(enginetest.KeyFrame(10, 0), make([]byte, 1100)...)
	batch := make([]netio.Datagram, burst)
	seq := uint16(0)
	forward := func() {
		r.now = r.now.Add(10 * time.Millisecond)
		for i := range batch {
			seq++
			frame[2], frame[3] = byte(seq>>8), byte(seq)
			ts := uint32(seq) * 90
			frame[4], frame[5], frame[6], frame[7] = byte(ts>>24), byte(ts>>16), byte(ts>>8), byte(ts)
			batch[i] = netio.Datagram{Buffer: enginetest.Buffer(frame), From: peerAddr}
		}
		in.HandleDatagrams(r.now, 0, batch)
		in.Settle(r.now)
	}
	for range 500 {
		forward() // until the retransmission buffers have their size
	}
	before := out.sent
	allocs := testing.AllocsPerRun(100, forward)
	require.Equal(t, 101*consumers*burst, out.sent-before, "all were forwarded")
	require.Less(t, allocs/(consumers*burst), 0.05, "allocations per forwarded packet")
}

// Distributing the available bitrate among consumers costs no allocation: it happens whenever a layer comes or goes.
func TestDistributingBitrateDoesNotAllocate(t *testing.T) {
	r := newFixture(t)
	in, out := r.connected(), r.connected()
	p := r.produce(in.Transport, "p", enginetest.Video(10))
	for i := range unit.SSRC(20) {
		r.wideConsumer(out.Transport, p, fmt.Sprint("c", i), 100+2*i, true)
	}
	r.receive(in, 0, peerAddr, enginetest.KeyFrame(10, 1))
	distribute := func() {
		require.NoError(t, out.SetMaxOutgoingBitrate(r.now, 10_000_000))
		out.Settle(r.now)
	}
	distribute()
	require.Zero(t, testing.AllocsPerRun(100, distribute))
}
