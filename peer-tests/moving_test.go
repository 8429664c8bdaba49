package peers_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/rtcpeer"
)

// withData makes c's transport echo what its peer sends on the data channel.
func (c *caller) withData(t testing.TB) {
	t.Helper()
	c.ConsumeData(c.ProduceData(rtcpeer.Stream), rtcpeer.Stream)
	c.WaitSCTP(api.SCTPStateConnected)
	c.Opened.Wait(t, "the data channel", func(struct{}) bool { return true })
}

// persist makes both send to each other until a packet arrives: packets may get lost while a path changes.
func persist(t testing.TB, alice, bob *caller, text string) {
	t.Helper()
	n, picture := uint16(100), vp8KeyFrame(text)
	bob.RTP.Insist(t, text, func() {
		n++
		alice.Send(api.MediaKindAudio, n, []byte(text))
	}, says(text))
	alice.RTP.Insist(t, text, func() {
		n++
		bob.Send(api.MediaKindVideo, n, picture)
	}, says(string(picture)))
}

// TestICERestart: media, data and DTLS survive an ICE restart that changes the peer's address.
func TestICERestart(t *testing.T) {
	for _, protocol := range []api.Protocol{api.ProtocolUDP, api.ProtocolTCP} {
		for _, shared := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, server %t", protocol, shared), func(t *testing.T) {
				r := start(t)
				o := listenOn(r, shared, protocol)
				p := rtcpeer.Options{Protocol: protocol, Role: api.DTLSRoleClient}
				alice, bob := join(t, r, o, p), join(t, r, o, p)
				bob.hears(alice, api.MediaKindAudio)
				alice.hears(bob, api.MediaKindVideo)
				alice.withData(t)
				talk(t, alice, bob, 1)
				before, old := alice.Dump(), alice.ICE

				alice.Peer.RestartICE(alice.Transport)
				require.NotEqual(t, old.UsernameFragment, alice.ICE.UsernameFragment)
				require.NotEqual(t, old.Password, alice.ICE.Password)
				alice.Wait(alice.ID, api.EventWebRtcTransportICESelectedTupleChange, func(b api.NotificationBody) bool {
					tuple := b.(*api.WebRtcTransportICESelectedTupleChangeNotification).Tuple
					return *tuple != *before.ICESelectedTuple
				})
				persist(t, alice, bob, "after the restart")
				echo(t, alice, "after the restart")
				alice.WaitICE(api.ICEStateCompleted)
				alice.RequireConnected()
				require.Equal(t, alice.ICE.UsernameFragment, alice.Dump().ICEParameters.UsernameFragment)
				require.Equal(t, []api.DTLSState{api.DTLSStateConnecting, api.DTLSStateConnected}, alice.DTLSStates())
				if protocol == api.ProtocolUDP { // pion closes its old TCP connection before it opens a new one
					require.NotContains(t, alice.ICEStates(), api.ICEStateDisconnected)
				}
			})
		}
	}
}

// TestAddressChange: the peer's address changes without the peer noticing. The worker follows when a check and then authentic
// media have arrived from the new address.
func TestAddressChange(t *testing.T) {
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprintf("server %t", shared), func(t *testing.T) {
			r := start(t)
			o := listenOn(r, shared, api.ProtocolUDP)
			bob := join(t, r, o, rtcpeer.Options{Protocol: api.ProtocolUDP, Role: api.DTLSRoleClient})
			transport := r.NewTransport(o)
			nat := rtcpeer.NewNAT(t, transport.Candidate(api.ProtocolUDP).Port)
			alice := &caller{rtcpeer.New(t, rtcpeer.Options{
				Protocol: api.ProtocolUDP, Role: api.DTLSRoleClient, Via: nat.Inside(),
			}), transport}
			alice.Peer.Connect(transport)
			bob.hears(alice, api.MediaKindAudio)
			alice.hears(bob, api.MediaKindVideo)
			alice.withData(t)
			talk(t, alice, bob, 1)
			for move := range 3 {
				nat.Move()
				text := fmt.Sprintf("after move %d", move)
				persist(t, alice, bob, text)
				echo(t, alice, text)
				require.Equal(t, nat.Outside(), alice.Dump().ICESelectedTuple.RemotePort)
			}
			require.Equal(t, []api.DTLSState{api.DTLSStateConnecting, api.DTLSStateConnected}, alice.DTLSStates())
			require.NotContains(t, alice.ICEStates(), api.ICEStateDisconnected)
		})
	}
}

// TestHundredTransports: one WebRtcServer carries a hundred transports, half of them over TCP. Each receives its neighbour's
// media and has a data channel, even after half of them have closed.
func TestHundredTransports(t *testing.T) {
	const count, atOnce = 100, 8
	r := start(t)
	o := listenOn(r, true, api.ProtocolUDP, api.ProtocolTCP)
	callers := make([]*caller, count)
	for i := range callers {
		p := rtcpeer.Options{Protocol: []api.Protocol{api.ProtocolUDP, api.ProtocolTCP}[i%2], Role: api.DTLSRoleClient}
		callers[i] = &caller{rtcpeer.New(t, p), r.NewTransport(o)}
	}
	inParallel(callers, atOnce, func(_ int, c *caller) { c.Peer.Connect(c.Transport) })
	for i, c := range callers {
		c.hears(callers[(i+1)%count], api.MediaKindAudio)
		c.ConsumeData(c.ProduceData(rtcpeer.Stream), rtcpeer.Stream)
	}
	inParallel(callers, atOnce, func(i int, c *caller) {
		text := fmt.Sprintf("voice of %d", (i+1)%count)
		callers[(i+1)%count].Send(api.MediaKindAudio, 1, []byte(text))
		c.RTP.Wait(t, text, says(text))
		c.Opened.Wait(t, "the data channel", func(struct{}) bool { return true })
		echo(t, c, fmt.Sprintf("echo of %d", i))
	})
	for _, c := range callers {
		require.Len(t, c.RTP.All(), 1, "a packet went to the wrong transport")
		c.RequireConnected()
	}
	half := callers[:count/2]
	inParallel(half, atOnce, func(_ int, c *caller) { c.Transport.Close(); c.Peer.Close() })
	rest := callers[count/2:]
	inParallel(rest[:len(rest)-1], atOnce, func(i int, c *caller) {
		text := fmt.Sprintf("second word of %d", i)
		rest[i+1].Send(api.MediaKindAudio, 2, []byte(text))
		c.RTP.Wait(t, text, says(text))
	})
	d := r.Do(api.MethodWebRtcServerDump, o.Server, nil).(*api.WebRtcServerDumpResponse)
	require.Len(t, d.WebRtcTransportIDs, len(rest))
	require.Len(t, d.LocalICEUsernameFragments, len(rest))
}

// inParallel calls f for each caller, a few at a time.
func inParallel(callers []*caller, atOnce int, f func(i int, c *caller)) {
	var running sync.WaitGroup
	next := make(chan int, len(callers))
	for i := range callers {
		next <- i
	}
	close(next)
	for range atOnce {
		running.Go(func() {
			for i := range next {
				f(i, callers[i])
			}
		})
	}
	running.Wait()
}
