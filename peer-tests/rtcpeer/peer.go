// Package rtcpeer stands in for a browser: a peer connection of pion/webrtc that gets a WebRtcTransport as an SDP answer, as a
// browser does from mediasoup-client.
package rtcpeer

import (
	"net"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/inbox"
)

// keepAlive is the time between two ICE checks, short to detect a change of address soon.
const keepAlive = 200 * time.Millisecond

// Stream is the stream id of the data channel that every peer has.
const Stream = 1

// Options are what tests vary.
type Options struct {
	Protocol api.Protocol                 // how it reaches the worker
	Role     api.DTLSRole                 // client or server; the client starts DTLS
	Profiles []dtls.SRTPProtectionProfile // offered or accepted; nil means pion's default
	// Via replaces the address of the worker's candidate.
	Via net.Addr
}

// Peer is a peer connection that sends and receives audio and video and has a data channel.
type Peer struct {
	t       testing.TB
	options Options
	pc      *webrtc.PeerConnection
	cert    *webrtc.Certificate
	tracks  map[api.MediaKind]*webrtc.TrackLocalStaticRTP
	senders map[api.MediaKind]*webrtc.RTPSender

	// RTP holds all received packets, RTCP all reports and feedback, Messages all messages of the data channel.
	RTP      inbox.Inbox[*rtp.Packet]
	RTCP     inbox.Inbox[rtcp.Packet]
	Messages inbox.Inbox[webrtc.DataChannelMessage]
	// Channel is the data channel; Opened is signalled when it is open.
	Channel *webrtc.DataChannel
	Opened  inbox.Inbox[struct{}]
	// States holds all states of the connection.
	States inbox.Inbox[webrtc.PeerConnectionState]
}

// ReceiveSSRC is the SSRC by which the peer expects to receive a kind of media.
func ReceiveSSRC(kind api.MediaKind) uint32 { return 5000 + uint32(kind) }

// New returns a peer that is closed when the test ends.
func New(t testing.TB, o Options) *Peer {
	t.Helper()
	p := &Peer{
		t: t, options: o,
		tracks: map[api.MediaKind]*webrtc.TrackLocalStaticRTP{}, senders: map[api.MediaKind]*webrtc.RTPSender{},
	}
	var err error
	p.cert, err = newCertificate()
	require.NoError(t, err)
	p.pc, err = newAPI(t, o).NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{*p.cert}})
	require.NoError(t, err)
	t.Cleanup(p.Close)
	p.pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		go p.readRTCP(receiver.ReadRTCP)
		for {
			pkt, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			p.RTP.Add(pkt)
		}
	})
	p.pc.OnConnectionStateChange(p.States.Add)
	p.addTrack(api.MediaKindAudio, webrtc.MimeTypeOpus)
	p.addTrack(api.MediaKindVideo, webrtc.MimeTypeVP8)
	p.addChannel()
	return p
}

func newAPI(t testing.TB, o Options) *webrtc.API {
	t.Helper()
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	s.SetIPFilter(func(ip net.IP) bool { return ip.Equal(net.IPv4(127, 0, 0, 1)) })
	s.SetICETimeouts(app.Patience, app.Patience, keepAlive)
	s.SetHostAcceptanceMinWait(0)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if o.Protocol == api.ProtocolTCP {
		s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	}
	if o.Profiles != nil {
		s.SetSRTPProtectionProfiles(o.Profiles...)
	}
	var media webrtc.MediaEngine
	var interceptors interceptor.Registry
	for _, err := range []error{
		media.RegisterCodec(webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2},
			PayloadType:        app.OpusPayloadType,
		}, webrtc.RTPCodecTypeAudio),
		media.RegisterCodec(webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000},
			PayloadType:        app.VP8PayloadType,
		}, webrtc.RTPCodecTypeVideo),
		webrtc.ConfigureRTCPReports(&interceptors),
		webrtc.ConfigureNack(&media, &interceptors),
	} {
		require.NoError(t, err)
	}
	return webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(&media), webrtc.WithInterceptorRegistry(&interceptors))
}

func (p *Peer) addTrack(kind api.MediaKind, mime string) {
	p.t.Helper()
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, kind.String(), "stream")
	require.NoError(p.t, err)
	transceiver, err := p.pc.AddTransceiverFromTrack(track)
	require.NoError(p.t, err)
	p.tracks[kind], p.senders[kind] = track, transceiver.Sender()
	go p.readRTCP(transceiver.Sender().ReadRTCP)
}

func (p *Peer) addChannel() {
	p.t.Helper()
	var err error
	p.Channel, err = p.pc.CreateDataChannel("data", &webrtc.DataChannelInit{Negotiated: new(true), ID: new(uint16(Stream))})
	require.NoError(p.t, err)
	p.Channel.OnOpen(func() { p.Opened.Add(struct{}{}) })
	p.Channel.OnMessage(p.Messages.Add)
}

func (p *Peer) readRTCP(read func() ([]rtcp.Packet, interceptor.Attributes, error)) {
	for {
		pkts, _, err := read()
		if err != nil {
			return
		}
		for _, pkt := range pkts {
			p.RTCP.Add(pkt)
		}
	}
}

// SSRC returns the SSRC that the peer sends a kind of media with.
func (p *Peer) SSRC(kind api.MediaKind) uint32 {
	return uint32(p.senders[kind].GetParameters().Encodings[0].SSRC)
}

// Send sends one packet.
func (p *Peer) Send(kind api.MediaKind, sequenceNumber uint16, payload []byte) {
	p.t.Helper()
	require.NoError(p.t, p.TrySend(kind, sequenceNumber, payload))
}

// TrySend is Send for a peer whose connection may have ended, which is returned as an error.
func (p *Peer) TrySend(kind api.MediaKind, sequenceNumber uint16, payload []byte) error {
	return p.tracks[kind].WriteRTP(&rtp.Packet{
		Header:  rtp.Header{Version: 2, SequenceNumber: sequenceNumber, Timestamp: uint32(sequenceNumber) * 960, Marker: true},
		Payload: payload,
	})
}

// Close closes the connection, which notifies the worker.
func (p *Peer) Close() { _ = p.pc.Close() }
