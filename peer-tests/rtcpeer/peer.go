// Package rtcpeer stands in for a browser: a peer connection of pion/webrtc that gets a WebRtcTransport as an SDP answer, as a
// browser does from mediasoup-client.
package rtcpeer

import (
	"cmp"
	"fmt"
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

// minReceiveBuffer is pion's own size of SCTP's receive buffer in bytes.
const minReceiveBuffer = 1 << 20

// Stream is the stream id of the data channel that every peer has.
const Stream = 1

// Options are what tests vary.
type Options struct {
	Protocol api.Protocol                 // how it reaches the worker
	Role     api.DTLSRole                 // client or server; the client starts DTLS
	Profiles []dtls.SRTPProtectionProfile // offered or accepted; nil means pion's default
	// Via replaces the address of the worker's candidate.
	Via net.Addr
	// IP is the peer's own address; empty means 127.0.0.1.
	IP string
	// Streams are the codecs of the streams that it sends and receives; nil means one of Opus and one of VP8.
	Streams []api.RTPCodecParameters
	// MaxMessageSize is that of the data channel in bytes; 0 means 256 KiB.
	MaxMessageSize uint32
	// MaxBitrate makes it estimate what it can send, from transport-wide feedback, up to so many bits per second.
	MaxBitrate int
}

// Peer is a peer connection that sends and receives streams and has a data channel.
type Peer struct {
	t       testing.TB
	options Options
	pc      *webrtc.PeerConnection
	cert    *webrtc.Certificate
	tracks  []*webrtc.TrackLocalStaticRTP // in the order of Options.Streams, like senders
	senders []*webrtc.RTPSender

	// RTP holds all received packets, RTCP all reports and feedback, Messages all messages of the data channel.
	RTP      inbox.Inbox[*rtp.Packet]
	RTCP     inbox.Inbox[rtcp.Packet]
	Messages inbox.Inbox[webrtc.DataChannelMessage]
	// Channel is the data channel; Opened is signalled when it is open.
	Channel *webrtc.DataChannel
	Opened  inbox.Inbox[struct{}]
	// Target holds the estimates of what can be sent, if Options ask for them.
	Target inbox.Inbox[int]
	// States holds all states of the connection.
	States inbox.Inbox[webrtc.PeerConnectionState]
}

// ReceiveSSRC is the SSRC by which a peer with the streams of the default expects to receive a kind of media.
func ReceiveSSRC(kind api.MediaKind) uint32 { return ReceiveSSRCOf(int(kind)) }

// ReceiveSSRCOf is the SSRC by which a peer expects to receive the i-th of its streams.
func ReceiveSSRCOf(i int) uint32 { return 5000 + uint32(i) }

// New returns a peer that is closed when the test ends.
func New(t testing.TB, o Options) *Peer {
	t.Helper()
	o.IP, o.MaxMessageSize = cmp.Or(o.IP, "127.0.0.1"), cmp.Or(o.MaxMessageSize, 256<<10)
	if o.Streams == nil {
		o.Streams = []api.RTPCodecParameters{app.Opus, app.VP8}
	}
	p := &Peer{t: t, options: o}
	var err error
	p.cert, err = newCertificate()
	require.NoError(t, err)
	p.pc, err = p.newAPI().NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{*p.cert}})
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
	for i, codec := range o.Streams {
		p.addTrack(fmt.Sprint("track", i), codec.MimeType)
	}
	p.addChannel()
	return p
}

func (p *Peer) newAPI() *webrtc.API {
	t, o := p.t, p.options
	t.Helper()
	var s webrtc.SettingEngine
	s.SetIncludeLoopbackCandidate(true)
	s.SetIPFilter(func(ip net.IP) bool { return ip.Equal(net.ParseIP(o.IP)) })
	s.SetSCTPMaxMessageSize(o.MaxMessageSize)
	s.SetSCTPMaxReceiveBufferSize(max(o.MaxMessageSize, minReceiveBuffer))
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
		register(&media, app.Opus, webrtc.RTPCodecTypeAudio),
		register(&media, app.VP8, webrtc.RTPCodecTypeVideo),
		register(&media, app.VP9, webrtc.RTPCodecTypeVideo),
		webrtc.ConfigureRTCPReports(&interceptors),
		webrtc.ConfigureNack(&media, &interceptors),
	} {
		require.NoError(t, err)
	}
	if o.MaxBitrate > 0 {
		p.estimate(&media, &interceptors)
	}
	return webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(&media), webrtc.WithInterceptorRegistry(&interceptors))
}

func register(m *webrtc.MediaEngine, codec api.RTPCodecParameters, kind webrtc.RTPCodecType) error {
	c := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: codec.MimeType, ClockRate: codec.ClockRate},
		PayloadType:        webrtc.PayloadType(codec.PayloadType),
	}
	if codec.Channels != nil {
		c.Channels = uint16(*codec.Channels)
	}
	return m.RegisterCodec(c, kind)
}

func (p *Peer) addTrack(id, mime string) {
	p.t.Helper()
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, id, "stream")
	require.NoError(p.t, err)
	transceiver, err := p.pc.AddTransceiverFromTrack(track)
	require.NoError(p.t, err)
	p.tracks, p.senders = append(p.tracks, track), append(p.senders, transceiver.Sender())
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

// SSRC returns the SSRC that a peer with the streams of the default sends a kind of media with.
func (p *Peer) SSRC(kind api.MediaKind) uint32 { return p.SSRCOf(int(kind)) }

// SSRCOf returns the SSRC that the peer sends the i-th of its streams with.
func (p *Peer) SSRCOf(i int) uint32 { return uint32(p.senders[i].GetParameters().Encodings[0].SSRC) }

// Send sends one packet.
func (p *Peer) Send(kind api.MediaKind, sequenceNumber uint16, payload []byte) {
	p.t.Helper()
	require.NoError(p.t, p.TrySend(kind, sequenceNumber, payload))
}

// TrySend is Send for a peer whose connection may have ended, which is returned as an error.
func (p *Peer) TrySend(kind api.MediaKind, sequenceNumber uint16, payload []byte) error {
	return p.TrySendOn(int(kind), rtp.Header{SequenceNumber: sequenceNumber, Timestamp: uint32(sequenceNumber) * 960, Marker: true}, payload)
}

// TrySendOn sends one packet of the i-th of the peer's streams. Payload type and SSRC are filled in.
func (p *Peer) TrySendOn(i int, h rtp.Header, payload []byte) error {
	h.Version = 2
	return p.tracks[i].WriteRTP(&rtp.Packet{Header: h, Payload: payload})
}

// Close closes the connection, which notifies the worker.
func (p *Peer) Close() { _ = p.pc.Close() }
