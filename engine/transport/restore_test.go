package transport_test

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/srtp"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// A WebRtcTransport that is restored takes checks with the credentials that its peer knows.
func TestRestoredICECredentials(t *testing.T) {
	old := newBrowser(t, nil).dump().ICEParameters
	b := newBrowser(t, func(o *api.WebRtcTransportOptions) { o.Base.Restore = &api.TransportRestore{ICEParameters: old} })
	require.Equal(t, old, b.dump().ICEParameters)
	require.True(t, b.dir.fragments[old.UsernameFragment])
	answer := b.check(old.Password, true)
	_, _, isError := answer.ErrorCode()
	require.False(t, isError)
	require.Equal(t, api.ICEStateCompleted, b.dump().ICEState)
}

func TestICECredentialsThatAreTooShortToRestore(t *testing.T) {
	for _, p := range []api.ICEParameters{
		{UsernameFragment: "abc", Password: "abcdefghijklmnopqrstuv"},
		{UsernameFragment: "abcd", Password: "abcdefghijklmnopqrstu"},
	} {
		_, err := transport.NewWebRtc("webrtc", &api.WebRtcTransportOptions{
			Base: &api.TransportOptions{Restore: &api.TransportRestore{ICEParameters: &p}},
		}, transport.WebRtcConfig{Certificate: certificates()[0]}, newFixture(t).env)
		require.ErrorContains(t, err, "too short")
	}
}

// The key of a plain or pipe transport is restored, if it is one of the suite.
func TestRestoredSRTPKeys(t *testing.T) {
	r := newFixture(t)
	suite := api.SRTPCryptoSuiteAEADAES256GCM
	restore := func(p *api.SRTPParameters) (parameters []*api.SRTPParameters, err error) {
		base := &api.TransportOptions{Restore: &api.TransportRestore{SRTPParameters: p}}
		o := plainOptions()
		o.Base, o.EnableSRTP, o.SRTPCryptoSuite = base, true, &suite
		plain, err := transport.NewPlain("plain", o, r.env)
		if err != nil {
			_, err := transport.NewPipe("pipe", &api.PipeTransportOptions{Base: base, ListenInfo: o.ListenInfo, EnableSRTP: true}, r.env)
			require.Error(t, err)
			return nil, err
		}
		pipe, err := transport.NewPipe("pipe", &api.PipeTransportOptions{Base: base, ListenInfo: o.ListenInfo, EnableSRTP: true}, r.env)
		require.NoError(t, err)
		return []*api.SRTPParameters{
			plain.Dump().(*api.PlainTransportDumpResponse).SRTPParameters, pipe.Dump().(*api.PipeTransportDumpResponse).SRTPParameters,
		}, nil
	}
	drawn, err := restore(nil)
	require.NoError(t, err)
	require.NotEqual(t, drawn[0], drawn[1])
	restored, err := restore(drawn[0])
	require.NoError(t, err)
	require.Equal(t, []*api.SRTPParameters{drawn[0], drawn[0]}, restored)
	for _, wrong := range []api.SRTPParameters{
		{CryptoSuite: suite, KeyBase64: "%"},
		{CryptoSuite: suite, KeyBase64: drawn[0].KeyBase64[4:]},
		{CryptoSuite: api.SRTPCryptoSuiteAEADAES128GCM, KeyBase64: drawn[0].KeyBase64},
	} {
		_, err := restore(&wrong)
		require.ErrorContains(t, err, "none of the transport's suite")
	}
}

// A transport with comedia knows the peers again that an earlier one had found; others do not look at them.
func TestRestoredPeersOfComedia(t *testing.T) {
	r := newFixture(t)
	restore := &api.TransportRestore{
		Tuple:     &api.TransportTuple{RemoteIP: peerAddr.Addr().String(), RemotePort: peerAddr.Port()},
		RTCPTuple: &api.TransportTuple{RemoteIP: peerAddr.Addr().String(), RemotePort: 5001},
	}
	peers := func(p *transport.Plain, restore *api.TransportRestore) (rtp, rtcp string) {
		p.RestorePeers(r.now, restore)
		d := p.Dump().(*api.PlainTransportDumpResponse)
		return d.Tuple.RemoteIP, d.RTCPTuple.RemoteIP
	}
	comedia := func() *transport.Plain {
		return r.plain(func(o *api.PlainTransportOptions) { o.RTCPMux, o.Comedia = false, true })
	}
	p := comedia()
	rtpPeer, rtcpPeer := peers(p, restore)
	require.Equal(t, []string{"192.0.2.1", "192.0.2.1"}, []string{rtpPeer, rtcpPeer})
	require.NotEqual(t, unit.Never, p.NextTimeout(), "it reports")
	r.produce(p.Transport, "p", enginetest.Video(10))
	r.receive(p, 0, strangerAddr, enginetest.KeyFrame(10, 1))
	require.Equal(t, transport.Drops{ForeignSender: 1}, p.Drops())
	require.Empty(t, r.notifications.All(), "the application knows")

	for _, of := range []*api.TransportRestore{nil, {}, {Tuple: &api.TransportTuple{}, RTCPTuple: &api.TransportTuple{}}} {
		rtpPeer, _ = peers(comedia(), of)
		require.Empty(t, rtpPeer)
	}
	rtpPeer, _ = peers(r.plain(func(o *api.PlainTransportOptions) { o.RTCPMux = false }), restore)
	require.Empty(t, rtpPeer)
}

// The end of an internal pipe that is connected again, to a peer with a fresh key, goes on counting its packets: the same receiver
// takes what comes before and after, across the wrap of the sequence number. What the new peer protects is taken, and nothing of the
// old one.
func TestInternalPipeConnectedAgain(t *testing.T) {
	r := newFixture(t)
	in := r.connected()
	p := r.produce(in.Transport, "p", enginetest.Audio(10))
	out, err := transport.NewPipe("pipe", &api.PipeTransportOptions{
		Base: &api.TransportOptions{Internal: true}, ListenInfo: plainOptions().ListenInfo, EnableSRTP: true,
	}, r.env)
	require.NoError(t, err)
	r.audit(out.Transport, r.sockets[len(r.sockets)-1:])
	suite := srtp.AEADAES256GCM
	key := func(first byte) []byte {
		return append([]byte{first}, make([]byte, suite.KeyLen()+suite.SaltLen()-1)...)
	}
	connect := func(to netip.AddrPort, k []byte) {
		_, err := out.Connect(r.now, &api.PipeTransportConnectRequest{
			IP: to.Addr().String(), Port: new(to.Port()),
			SRTPParameters: &api.SRTPParameters{CryptoSuite: api.SRTPCryptoSuiteAEADAES256GCM, KeyBase64: base64.StdEncoding.EncodeToString(k)},
		})
		require.NoError(t, err)
	}
	connect(peerAddr, key(1))
	local, err := base64.StdEncoding.DecodeString(out.Dump().(*api.PipeTransportDumpResponse).SRTPParameters.KeyBase64)
	require.NoError(t, err)
	receiver, err := srtp.NewReceiver(suite, local)
	require.NoError(t, err)
	c := r.consume(out.Transport, p, "c", 20, &feedbackRecorder{})
	r.attach(out.Transport, p, c)
	p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
	socket := r.sockets[len(r.sockets)-1]

	seq, last, wrapped := unit.SeqNo(0), uint16(0), false
	send := func(to netip.AddrPort) (sent uint16) {
		seq++
		r.receive(in, 0, peerAddr, enginetest.RTP(10, seq, []byte{1}))
		require.Equal(t, []netip.AddrPort{to}, socket.To())
		packets := socket.Take()
		require.Len(t, packets, 1)
		clear, err := receiver.UnprotectRTP(packets[0])
		require.NoError(t, err)
		var packet rtp.Packet
		require.NoError(t, packet.Parse(clear))
		return uint16(packet.SequenceNumber)
	}
	for !wrapped {
		sent := send(peerAddr)
		wrapped = sent < last
		last = sent
	}
	connect(strangerAddr, key(2))
	require.Equal(t, last+1, send(strangerAddr))

	far := r.produce(out.Transport, "far", enginetest.Video(30))
	forwarded := &subscriber{}
	far.AddSubscriber(forwarded)
	for _, k := range [][]byte{key(1), key(2)} {
		sender, err := srtp.NewSender(suite, k)
		require.NoError(t, err)
		r.receive(out.Plain, 0, strangerAddr, r.protect(&secure{sender: sender}, enginetest.KeyFrame(30, 1)))
	}
	require.EqualValues(t, 1, out.Drops().Unauthenticated)
	require.Len(t, forwarded.pkts, 1)
}

// Streams go on when a pipe is connected again, wherever the sequence numbers of the new peer begin: all of its packets are forwarded,
// under numbers that follow after one that is left out.
func TestStreamsOfAPipeConnectedAgain(t *testing.T) {
	const last = 2000
	for _, first := range []unit.SeqNo{
		last - 1, last, last + 1, last + 2, last + 50, last - 50, last - rtpstream.MaxMisorder, last - rtpstream.MaxMisorder + 1,
		last + rtpstream.MaxDropout, last + rtpstream.MaxDropout - 1, last + 1<<15,
	} {
		r := newFixture(t)
		out := r.connected()
		socket := r.sockets[len(r.sockets)-1]
		in, err := transport.NewPipe("pipe", &api.PipeTransportOptions{
			Base: &api.TransportOptions{Internal: true}, ListenInfo: plainOptions().ListenInfo, EnableSRTP: true,
		}, r.env)
		require.NoError(t, err)
		r.audit(in.Transport, r.sockets[len(r.sockets)-1:])
		peer := func(first byte) *srtp.Sender {
			key := make([]byte, srtp.AEADAES256GCM.KeyLen()+srtp.AEADAES256GCM.SaltLen())
			key[0] = first
			_, err := in.Connect(r.now, &api.PipeTransportConnectRequest{
				IP: peerAddr.Addr().String(), Port: new(peerAddr.Port()),
				SRTPParameters: &api.SRTPParameters{CryptoSuite: api.SRTPCryptoSuiteAEADAES256GCM, KeyBase64: base64.StdEncoding.EncodeToString(key)},
			})
			require.NoError(t, err)
			sender, err := srtp.NewSender(srtp.AEADAES256GCM, key)
			require.NoError(t, err)
			return sender
		}
		before := peer(1)
		ssrcs := []unit.SSRC{30, 31}
		for i, ssrc := range ssrcs {
			p := r.produce(in.Transport, strconv.Itoa(i), enginetest.Audio(ssrc))
			c := r.consume(out.Transport, p, "consumer of "+strconv.Itoa(i), ssrc+100, &feedbackRecorder{})
			r.attach(out.Transport, p, c)
			p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
		}
		send := func(from *srtp.Sender, seq unit.SeqNo) (numbers []unit.SeqNo) {
			for _, ssrc := range ssrcs {
				r.receive(in.Plain, 0, peerAddr, r.protect(&secure{sender: from}, enginetest.RTP(ssrc, seq, []byte{1})))
			}
			for _, data := range socket.Take() {
				var packet rtp.Packet
				require.NoError(t, packet.Parse(data))
				numbers = append(numbers, packet.SequenceNumber)
			}
			return numbers
		}
		var newest []unit.SeqNo
		for seq := unit.SeqNo(last - 10); seq <= last; seq++ {
			newest = send(before, seq)
			require.Len(t, newest, len(ssrcs))
		}
		after := peer(2)
		for n := range unit.SeqNo(10) {
			require.Equal(t, []unit.SeqNo{newest[0] + 2 + n, newest[1] + 2 + n}, send(after, first+n), first)
		}
	}
}
