package transport_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/netio"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

var victimAddr = netip.MustParseAddrPort("203.0.113.9:9")

// redirected is a browser that receives a video stream and can send checks from a victim's address.
type redirected struct {
	*browser
	p     *transport.Producer
	in    *transport.Plain
	seq   unit.SeqNo
	bytes map[netip.AddrPort]int // sent by the transport, by destination
}

func newRedirected(t *testing.T) *redirected {
	r := &redirected{browser: established(t, nil), bytes: map[netip.AddrPort]int{}}
	send := r.link.Send
	r.link.Send = func(to netip.AddrPort, batch *netio.Batch) (int, int) {
		for pkt := range batch.Packets() {
			r.bytes[to] += len(pkt)
		}
		return send(to, batch)
	}
	r.in = r.connected()
	r.p = r.produce(r.in.Transport, "p", enginetest.Video(10))
	c := r.consume(r.w.Transport, r.p, "c", 20, &feedbackRecorder{})
	r.attach(r.w.Transport, r.p, c)
	r.p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
	return r
}

// from does something with the browser's address replaced.
func (r *redirected) from(addr netip.AddrPort, f func()) {
	r.addr, addr = addr, r.addr
	defer func() { r.addr = addr }()
	f()
}

func (r *redirected) nominate(addr netip.AddrPort) {
	r.from(addr, func() { r.check(r.password(), true) })
}

// run sends media of 500 kbit/s for a while; each of the given functions is called once a second.
func (r *redirected) run(d time.Duration, eachSecond ...func()) {
	for end := r.now.Add(d); r.now < end; {
		for range 50 {
			r.now = r.now.Add(20 * time.Millisecond)
			r.receive(r.in, 0, peerAddr, append(enginetest.KeyFrame(10, r.seq), make([]byte, 1200)...))
			r.seq++
			if r.w.NextTimeout() <= r.now {
				r.w.HandleTimeout(r.now)
				r.w.Settle(r.now)
			}
		}
		for _, f := range eachSecond {
			f()
		}
	}
}

func (r *redirected) selected() string { return r.dump().ICESelectedTuple.RemoteIP }

func (r *redirected) report() { r.sendRTCP(&rtcp.ReceiverReport{SSRC: 1}) }

// One check from a victim's address points the stream there. Checks from elsewhere do not keep it there, and feedback brings it
// back to where that came from.
func TestAStreamDoesNotStayWithAVictim(t *testing.T) {
	r := newRedirected(t)
	r.nominate(victimAddr)
	r.run(60*time.Second, func() { r.check(r.password(), false) })
	t.Logf("the victim got %d bytes in 60 s", r.bytes[victimAddr])
	require.NotZero(t, r.bytes[victimAddr])
	require.Less(t, r.bytes[victimAddr], 9*50*1300, "8 s of media")
	require.Equal(t, peerAddr.Addr().String(), r.selected())

	// Once more: the time for it is used up, but for what a minute earns.
	before := r.bytes[victimAddr]
	for range 10 {
		r.nominate(victimAddr)
		r.run(6*time.Second, r.report)
	}
	require.Less(t, r.bytes[victimAddr]-before, 4*50*1300)
}

// NACKs from the attacker's own address ask for nothing that goes to the victim.
func TestFeedbackIsAnsweredWhereItComesFrom(t *testing.T) {
	r := newRedirected(t)
	r.run(time.Second)
	first := uint16(0)
	for _, b := range r.sent {
		if clear, err := r.receiver.UnprotectRTP(append([]byte(nil), b...)); err == nil {
			first = uint16(enginetest.ParseRTP(t, clear).SequenceNumber)
			break
		}
	}
	r.nominate(victimAddr)
	before := r.bytes[victimAddr]
	r.sendRTCP(&rtcp.TransportLayerNack{MediaSSRC: 20, Nacks: []rtcp.NackPair{{PacketID: first, LostPackets: 0xffff}}})
	require.Equal(t, before, r.bytes[victimAddr])
	require.Equal(t, peerAddr.Addr().String(), r.selected())
	require.NotZero(t, r.w.Stats(r.now).(*api.WebRtcTransportGetStatsResponse).Base.RTXBytesSent)
}

// A browser that changes networks nominates the new path, and gets its media there at once. Its reports prove the path.
func TestABrowserMovesToAnotherPath(t *testing.T) {
	r := newRedirected(t)
	r.run(time.Second, r.report)
	elsewhere := netip.MustParseAddrPort("192.0.2.77:1234")
	r.nominate(elsewhere)
	r.from(elsewhere, func() {
		// Audio reports come each 5 s or less often.
		r.run(7 * time.Second)
		r.report()
		r.run(60*time.Second, func() { r.check(r.password(), true) })
		require.Equal(t, elsewhere.Addr().String(), r.selected())
	})
	require.Greater(t, r.bytes[elsewhere], 66*50*1200)
}

// DTLS that does not verify moves nothing once keys are there.
func TestForgedDTLSSelectsNothing(t *testing.T) {
	r := newRedirected(t)
	r.from(victimAddr, func() {
		r.check(r.password(), false)
		r.deliver([]byte{23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4})
	})
	require.Equal(t, peerAddr.Addr().String(), r.selected())
}
