package hosts_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rtcpeer"
)

// marker is in all media and data. What can be read of them in a capture, can be found by it.
var marker = []byte("<media in clear>")

// peer is a peer with its transport, which is on one of the nodes.
type peer struct {
	*rtcpeer.Peer
	*app.Transport
	node netip.Addr
}

// join connects a peer with the given streams.
func join(t *testing.T, r *app.Router, maxMessageSize uint32, streams ...api.RTPCodecParameters) *peer {
	t.Helper()
	p := &peer{
		Peer: rtcpeer.New(t, rtcpeer.Options{
			Protocol: api.ProtocolUDP, Role: api.DTLSRoleClient, IP: peerAddress.String(), Streams: streams, MaxMessageSize: maxMessageSize,
		}),
		Transport: r.NewTransport(app.Options{Infos: app.ListenOn("0.0.0.0", api.ProtocolUDP), MaxMessageSize: maxMessageSize}),
	}
	p.node = netip.MustParseAddr(p.Candidate(api.ProtocolUDP).Address)
	require.Contains(t, nodes, p.node, "the transport is on no node")
	p.Peer.Connect(p.Transport)
	return p
}

// Streams of the publisher: sound, three of simulcast, and one with spatial layers.
const (
	sound = iota
	small
	medium
	large
	layered
)

// Streams of a subscriber.
const (
	heard = iota
	seen
	seenLayered
)

const layers = 3 // of simulcast and SVC

// publisher sends all kinds of media.
type publisher struct {
	*peer
	sound, simulcast, layered *app.Producer
	sent                      int // pictures, and packets of sound
}

func publish(t *testing.T, r *app.Router) *publisher {
	t.Helper()
	p := &publisher{peer: join(t, r, 0, app.Opus, app.VP8, app.VP8, app.VP8, app.VP9)}
	p.sound = p.Produce(api.MediaKindAudio, p.SSRCOf(sound))
	p.simulcast = p.ProduceMedia(app.Media{
		Kind: api.MediaKindVideo, Type: api.RTPTypeSimulcast, Codec: app.VP8, Mode: "L1T1",
		SSRCs: []uint32{p.SSRCOf(small), p.SSRCOf(medium), p.SSRCOf(large)},
	})
	p.layered = p.ProduceMedia(app.Media{
		Kind: api.MediaKindVideo, Type: api.RTPTypeSVC, Codec: app.VP9, Mode: "L3T1", SSRCs: []uint32{p.SSRCOf(layered)},
	})
	return p
}

// pictureInterval is the time between two pictures.
const pictureInterval = 40 * time.Millisecond

// perform sends n packets of sound and as many pictures of each kind, in real time.
func (p *publisher) perform(t *testing.T, n int) {
	t.Helper()
	ticker := time.NewTicker(pictureInterval)
	defer ticker.Stop()
	for range n {
		<-ticker.C
		p.sent++
		at := uint16(p.sent)
		require.NoError(t, p.TrySendOn(sound, rtp.Header{SequenceNumber: at, Timestamp: 1920 * uint32(p.sent)}, content(nil, p.sent)))
		h := rtp.Header{SequenceNumber: at, Timestamp: 3600 * uint32(p.sent), Marker: true}
		for stream := small; stream <= large; stream++ {
			require.NoError(t, p.TrySendOn(stream, h, content(vp8KeyFrame(), p.sent)))
		}
		for layer := range uint8(layers) {
			h.SequenceNumber, h.Marker = layers*at+uint16(layer), layer == layers-1
			require.NoError(t, p.TrySendOn(layered, h, content(vp9KeyFrame(at, layer), p.sent)))
		}
	}
}

// content appends the marker and a number to a payload.
func content(payload []byte, n int) []byte { return fmt.Appendf(payload, "%s%d", marker, n) }

// vp8KeyFrame begins a VP8 key frame of 640 by 480 pixels (RFC 7741 section 4.2, RFC 6386 section 9.1).
func vp8KeyFrame() []byte {
	return []byte{0x10, 0x00, 0x00, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01}
}

// vp9KeyFrame is the payload descriptor of a whole spatial layer of a VP9 picture that depends on no other picture, in non-flexible
// mode (RFC 9628 section 4.2).
func vp9KeyFrame(picture uint16, layer uint8) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0xac}, 0x8000|picture) // I, L, B, E
	dependent := min(layer, 1)
	return append(b, layer<<1|dependent, uint8(picture)) // SID, D, TL0PICIDX
}

// subscriber receives all that a publisher sends. Which layer it prefers depends on its number.
type subscriber struct {
	*peer
	layer int
}

func (s *subscriber) subscribe(p *publisher) {
	s.Consume(p.sound, rtcpeer.ReceiveSSRCOf(heard))
	for i, producer := range map[int]*app.Producer{seen: p.simulcast, seenLayered: p.layered} {
		s.Consume(producer, rtcpeer.ReceiveSSRCOf(i)).Prefer(uint8(s.layer))
	}
}

// waitFor waits for the packet of sound and the pictures with a number.
func (s *subscriber) waitFor(t *testing.T, number int) {
	t.Helper()
	text := content(nil, number)
	for i := heard; i <= seenLayered; i++ {
		s.RTP.Wait(t, "the last packets", func(pkt *rtp.Packet) bool {
			return pkt.SSRC == rtcpeer.ReceiveSSRCOf(i) && bytes.HasSuffix(pkt.Payload, text)
		})
	}
}

// received returns how many different packets of sound and pictures of each kind came whose numbers are above after.
func (s *subscriber) received(after int) (n [3]int) {
	got := [3]map[int]bool{{}, {}, {}}
	for _, pkt := range s.RTP.All() {
		_, text, found := bytes.Cut(pkt.Payload, marker)
		number, err := strconv.Atoi(string(text))
		if i := pkt.SSRC - rtcpeer.ReceiveSSRCOf(0); found && err == nil && i < 3 && number > after {
			got[i][number] = true
		}
	}
	for i := range n {
		n[i] = len(got[i])
	}
	return n
}

// highest returns the highest spatial layer among the newest n packets with layers.
func (s *subscriber) highest(n int) (layer uint8) {
	all := s.RTP.All()
	for i := len(all) - 1; i >= 0 && n > 0; i-- {
		if all[i].SSRC == rtcpeer.ReceiveSSRCOf(seenLayered) && len(all[i].Payload) > 3 {
			layer = max(layer, all[i].Payload[3]>>1&7)
			n--
		}
	}
	return layer
}
