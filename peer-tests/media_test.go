package peers_test

import (
	"fmt"
	"testing"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rtcpeer"
)

// caller is a peer and its transport.
type caller struct {
	*rtcpeer.Peer
	*app.Transport
}

// join creates a transport and a peer that is connected to it.
func join(t testing.TB, r *app.Router, o app.Options, p rtcpeer.Options) *caller {
	t.Helper()
	c := &caller{rtcpeer.New(t, p), r.NewTransport(o)}
	c.Peer.Connect(c.Transport)
	return c
}

// hears makes c consume what the other one sends.
func (c *caller) hears(other *caller, kind api.MediaKind) {
	c.Consume(other.Produce(kind, other.SSRC(kind)), rtcpeer.ReceiveSSRC(kind))
}

func says(text string) func(*rtp.Packet) bool {
	return func(p *rtp.Packet) bool { return string(p.Payload) == text }
}

// vp8KeyFrame is a VP8 payload that begins a key frame of 640 by 480 pixels (RFC 7741 section 4.2, RFC 6386 section 9.1).
func vp8KeyFrame(text string) []byte {
	return append([]byte{0x10, 0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01}, text...)
}

// listenOn returns where a transport listens: on its own ports or on those of a new WebRtcServer.
func listenOn(r *app.Router, shared bool, p ...api.Protocol) app.Options {
	if shared {
		return app.Options{Server: r.NewServer(app.Listen(p...))}
	}
	return app.Options{Infos: app.Listen(p...)}
}

// talk makes both send to each other, audio one way and video the other, and expects each packet to arrive.
func talk(t testing.TB, alice, bob *caller, n uint16) {
	t.Helper()
	voice, picture := fmt.Sprintf("voice %d", n), vp8KeyFrame(fmt.Sprintf("picture %d", n))
	alice.Send(api.MediaKindAudio, n, []byte(voice))
	got := bob.RTP.Wait(t, voice, says(voice))
	require.Equal(t, rtcpeer.ReceiveSSRC(api.MediaKindAudio), got.SSRC)
	bob.Send(api.MediaKindVideo, n, picture)
	got = alice.RTP.Wait(t, "a picture", says(string(picture)))
	require.Equal(t, rtcpeer.ReceiveSSRC(api.MediaKindVideo), got.SSRC)
}

func TestMediaBothWays(t *testing.T) {
	for _, protocol := range []api.Protocol{api.ProtocolUDP, api.ProtocolTCP} {
		for _, shared := range []bool{false, true} {
			for _, role := range []api.DTLSRole{api.DTLSRoleClient, api.DTLSRoleServer} {
				t.Run(fmt.Sprintf("%s, server %t, peer is %s", protocol, shared, role), func(t *testing.T) {
					r := start(t)
					o := listenOn(r, shared, api.ProtocolUDP, api.ProtocolTCP)
					p := rtcpeer.Options{Protocol: protocol, Role: role}
					alice, bob := join(t, r, o, p), join(t, r, o, p)
					bob.hears(alice, api.MediaKindAudio)
					alice.hears(bob, api.MediaKindVideo)
					for n := range uint16(10) {
						talk(t, alice, bob, n+1)
					}
					for _, c := range []*caller{alice, bob} {
						c.RequireConnected()
						require.Equal(t, []api.DTLSState{api.DTLSStateConnecting, api.DTLSStateConnected}, c.DTLSStates())
						tuple := c.Dump().ICESelectedTuple
						require.Equal(t, protocol, tuple.Protocol)
						require.Equal(t, c.Candidate(protocol).Port, tuple.LocalPort)
						require.NotZero(t, c.Stats().Base.RTPBytesReceived)
						require.NotZero(t, c.Stats().Base.RTPBytesSent)
					}
				})
			}
		}
	}
}

func TestSRTPProfiles(t *testing.T) {
	for name, profile := range map[string]dtls.SRTPProtectionProfile{
		"AEAD_AES_256_GCM":        dtls.SRTP_AEAD_AES_256_GCM,
		"AEAD_AES_128_GCM":        dtls.SRTP_AEAD_AES_128_GCM,
		"AES_CM_128_HMAC_SHA1_80": dtls.SRTP_AES128_CM_HMAC_SHA1_80,
	} {
		for _, role := range []api.DTLSRole{api.DTLSRoleClient, api.DTLSRoleServer} {
			t.Run(fmt.Sprintf("%s, peer is %s", name, role), func(t *testing.T) {
				r := start(t)
				o := listenOn(r, false, api.ProtocolUDP)
				p := rtcpeer.Options{Protocol: api.ProtocolUDP, Role: role, Profiles: []dtls.SRTPProtectionProfile{profile}}
				alice, bob := join(t, r, o, p), join(t, r, o, p)
				bob.hears(alice, api.MediaKindAudio)
				alice.hears(bob, api.MediaKindVideo)
				talk(t, alice, bob, 1)
			})
		}
	}
}

// TestReports: each side's RTCP reaches the other. The worker sends receiver reports and sender reports, and computes the
// round-trip time from the peer's reports.
func TestReports(t *testing.T) {
	r := start(t)
	o := listenOn(r, false, api.ProtocolUDP)
	p := rtcpeer.Options{Protocol: api.ProtocolUDP, Role: api.DTLSRoleClient}
	alice, bob := join(t, r, o, p), join(t, r, o, p)
	bob.hears(alice, api.MediaKindAudio)
	n := uint16(0)
	speak := func() {
		n++
		alice.Send(api.MediaKindAudio, n, fmt.Appendf(nil, "voice %d", n))
	}
	alice.RTCP.Insist(t, "a reception report on Alice's voice", speak, func(pkt rtcp.Packet) bool {
		rr, ok := pkt.(*rtcp.ReceiverReport)
		return ok && len(rr.Reports) == 1 && rr.Reports[0].SSRC == alice.SSRC(api.MediaKindAudio) && rr.Reports[0].LastSenderReport != 0
	})
	bob.RTCP.Insist(t, "a sender report on Alice's voice", speak, func(pkt rtcp.Packet) bool {
		sr, ok := pkt.(*rtcp.SenderReport)
		return ok && sr.SSRC == rtcpeer.ReceiveSSRC(api.MediaKindAudio) && sr.PacketCount > 0
	})
}

func TestDataChannelEcho(t *testing.T) {
	for _, protocol := range []api.Protocol{api.ProtocolUDP, api.ProtocolTCP} {
		for _, shared := range []bool{false, true} {
			for _, role := range []api.DTLSRole{api.DTLSRoleClient, api.DTLSRoleServer} {
				t.Run(fmt.Sprintf("%s, server %t, peer is %s", protocol, shared, role), func(t *testing.T) {
					r := start(t)
					c := join(t, r, listenOn(r, shared, protocol), rtcpeer.Options{Protocol: protocol, Role: role})
					c.ConsumeData(c.ProduceData(rtcpeer.Stream), rtcpeer.Stream)
					c.WaitSCTP(api.SCTPStateConnected)
					c.Opened.Wait(t, "the data channel", func(struct{}) bool { return true })
					echo(t, c, "hello")
				})
			}
		}
	}
}

// echo sends texts and bytes of several sizes and expects them back in order.
func echo(t testing.TB, c *caller, text string) {
	t.Helper()
	before := len(c.Messages.All())
	sent := []webrtc.DataChannelMessage{
		{IsString: true, Data: []byte(text)},
		{Data: []byte(text)},
		{IsString: true},
		{Data: make([]byte, 60_000)},
		{IsString: true, Data: []byte("end of " + text)},
	}
	for _, m := range sent {
		if m.IsString {
			require.NoError(t, c.Channel.SendText(string(m.Data)))
		} else {
			require.NoError(t, c.Channel.Send(m.Data))
		}
	}
	c.Messages.Wait(t, "the echo", func(m webrtc.DataChannelMessage) bool { return string(m.Data) == "end of "+text })
	require.Equal(t, summaries(sent), summaries(c.Messages.All()[before:]))
}

// summaries describes messages without printing all their bytes.
func summaries(messages []webrtc.DataChannelMessage) (lines []string) {
	for _, m := range messages {
		lines = append(lines, fmt.Sprintf("%t, %d bytes: %.40q", m.IsString, len(m.Data), m.Data))
	}
	return lines
}
