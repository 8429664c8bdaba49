package peers_test

import (
	"testing"

	"github.com/pion/stun/v4"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rawpeer"
)

func errorCode(t testing.TB, m *stun.Message) stun.ErrorCode {
	t.Helper()
	require.Equal(t, stun.BindingError, m.Type)
	var code stun.ErrorCodeAttribute
	require.NoError(t, code.GetFrom(m))
	return code.Code
}

// TestWrongPassword: a check with a wrong password is refused with 401 and changes nothing; the right one still succeeds.
func TestWrongPassword(t *testing.T) {
	for name, protocol := range map[string]api.Protocol{"UDP": api.ProtocolUDP, "TCP": api.ProtocolTCP} {
		for _, shared := range []string{"own ports", "WebRtcServer"} {
			t.Run(name+", "+shared, func(t *testing.T) {
				r := start(t)
				tr := r.NewTransport(listenOn(r, shared == "WebRtcServer", protocol))
				path := rawpeer.Open(t, protocol, tr.Candidate(protocol).Port)
				for _, password := range []string{"", "wrong", tr.ICE.Password[1:], tr.ICE.Password + "x"} {
					answer := path.Check(rawpeer.Check{Fragment: tr.ICE.UsernameFragment, Password: password, Nominate: true})
					require.Equal(t, stun.CodeUnauthorized, errorCode(t, answer))
					require.False(t, answer.Contains(stun.AttrXORMappedAddress))
				}
				require.Equal(t, api.ICEStateNew, tr.Dump().ICEState)
				require.Empty(t, tr.ICEStates())
				require.Empty(t, tr.Tuples())
				path.Nominate(tr)
				tr.WaitICE(api.ICEStateCompleted)
				require.Len(t, tr.Tuples(), 1)
			})
		}
	}
}

// TestUnknownFragment: a WebRtcServer does not answer a check with an unknown username fragment; a transport's own port answers
// with 401.
func TestUnknownFragment(t *testing.T) {
	r := start(t)
	own := r.NewTransport(listenOn(r, false, api.ProtocolUDP))
	path := rawpeer.Open(t, api.ProtocolUDP, own.Candidate(api.ProtocolUDP).Port)
	require.Equal(t, stun.CodeUnauthorized, errorCode(t, path.Check(rawpeer.Check{Fragment: "nobody", Password: own.ICE.Password})))

	behind := r.NewTransport(listenOn(r, true, api.ProtocolUDP))
	path = rawpeer.Open(t, api.ProtocolUDP, behind.Candidate(api.ProtocolUDP).Port)
	path.Send(rawpeer.Check{Fragment: "nobody", Password: behind.ICE.Password, Nominate: true}.Build(t).Raw)
	path.Nominate(behind)
	require.Len(t, path.STUN.All(), 1, "only the good check is answered")
}

// TestManyTuples: a transport keeps eight tuples. A peer with the password can add more, but the selected one is never evicted.
func TestManyTuples(t *testing.T) {
	r := start(t)
	c := newCall(t, r, listenOn(r, true, api.ProtocolUDP, api.ProtocolTCP))
	c.speak(t)
	for i := range 20 {
		protocol := []api.Protocol{api.ProtocolUDP, api.ProtocolTCP}[i%2]
		path := rawpeer.Open(t, protocol, c.from.Candidate(protocol).Port)
		require.Equal(t, stun.BindingSuccess, path.Check(rawpeer.CheckOf(c.from, false)).Type)
	}
	c.speak(t)
	c.heard(t)
}

// TestUDPAndTCPOfOneTransport: the worker sends on the path that the peer uses, even if both are valid.
func TestUDPAndTCPOfOneTransport(t *testing.T) {
	r := start(t)
	c := newCall(t, r, app.Options{Infos: app.Listen(api.ProtocolUDP, api.ProtocolTCP)})
	back := c.to.Produce(api.MediaKindAudio, bobSSRC+1)
	c.from.Consume(back, aliceSSRC+1)
	udp := c.alice.Path()
	tcp := c.alice.Open(api.ProtocolTCP)
	tcp.Nominate(c.from)

	for i, path := range []*rawpeer.Path{tcp, udp, tcp, udp} {
		c.alice.Use(path)
		c.speak(t) // authentic media selects the path that it comes on
		word := string(rune('a' + i))
		c.bob.Send(bobSSRC+1, uint16(i+1), word)
		got := c.alice.RTP.Wait(t, word, func(p rawpeer.Packet) bool { return string(p.Payload) == word })
		require.Equal(t, path.Port(), got.Path.Port())
		require.Equal(t, path.Port(), c.from.Dump().ICESelectedTuple.RemotePort)
	}
	tcp.Close()
	c.speak(t)
	require.Equal(t, []api.ICEState{api.ICEStateCompleted}, c.from.ICEStates())
}

// TestClosedTCPConnection: when the selected connection closes, the newest other valid tuple is selected; without one, ICE is
// disconnected, and reconnects with a new connection while DTLS stays.
func TestClosedTCPConnection(t *testing.T) {
	r := start(t)
	c := prepareCall(t, r, listenOn(r, true, api.ProtocolTCP))
	c.alice.Connect(api.ProtocolTCP)
	c.speak(t)
	first := c.alice.Path()
	second := c.alice.Open(api.ProtocolTCP)
	require.Equal(t, stun.BindingSuccess, second.Check(rawpeer.CheckOf(c.from, false)).Type)
	first.Close()
	c.from.WaitLast(c.from.ID, api.EventWebRtcTransportICESelectedTupleChange, func(b api.NotificationBody) bool {
		return b.(*api.WebRtcTransportICESelectedTupleChangeNotification).Tuple.RemotePort == second.Port()
	})
	c.speak(t)
	require.NotContains(t, c.from.ICEStates(), api.ICEStateDisconnected)

	second.Close()
	c.from.WaitICE(api.ICEStateDisconnected)
	require.Nil(t, c.from.Dump().ICESelectedTuple)
	c.alice.Open(api.ProtocolTCP).Nominate(c.from)
	c.from.WaitICE(api.ICEStateCompleted)
	c.speak(t)
	require.Equal(t, []api.DTLSState{api.DTLSStateConnecting, api.DTLSStateConnected}, c.from.DTLSStates())
}

// TestConsentExpires: a peer that stops its checks is disconnected after the configured time and receives nothing more; a peer
// that continues stays connected; one that comes back is connected again, with the same DTLS association.
func TestConsentExpires(t *testing.T) {
	t.Parallel()
	r := start(t)
	o := listenOn(r, true, api.ProtocolUDP)
	o.ConsentTimeout = 10 // the minimum
	c := newCall(t, r, o)
	back := c.to.Produce(api.MediaKindAudio, bobSSRC+1)
	c.from.Consume(back, aliceSSRC+1)
	steady := r.NewTransport(o)
	path := rawpeer.Open(t, api.ProtocolUDP, steady.Candidate(api.ProtocolUDP).Port)
	path.Nominate(steady)
	stop := renew(path, steady, t)
	c.from.WaitICE(api.ICEStateDisconnected)
	stop()
	require.Equal(t, []api.ICEState{api.ICEStateCompleted}, steady.ICEStates())
	require.Nil(t, c.from.Dump().ICESelectedTuple)

	c.bob.Send(bobSSRC+1, 1, "to nobody")
	back.WaitReceived(1)
	c.alice.Send(aliceSSRC, 100, "from nobody")
	c.alice.Path().Nominate(c.from)
	c.from.WaitICE(api.ICEStateCompleted)
	require.Zero(t, c.producer.Received(), "media that arrived on the same path before the nomination was dropped")
	c.speak(t)
	c.bob.Send(bobSSRC+1, 2, "to Alice")
	c.alice.RTP.Wait(t, "a word to Alice", func(p rawpeer.Packet) bool { return string(p.Payload) == "to Alice" })
	require.Len(t, c.alice.RTP.All(), 1)
	require.Equal(t, []api.DTLSState{api.DTLSStateConnecting, api.DTLSStateConnected}, c.from.DTLSStates())
}
