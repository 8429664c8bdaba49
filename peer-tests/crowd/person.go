package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/answer"
	"gazpacho/peer-tests/app"
)

// remote is a transport of the worker, as its application describes it.
type remote struct {
	UsernameFragment string    `json:"usernameFragment"`
	Password         string    `json:"password"`
	Fingerprint      string    `json:"fingerprint"` // SHA-256
	Candidate        candidate `json:"candidate"`
}

type candidate struct {
	Foundation string `json:"foundation"`
	Priority   uint32 `json:"priority"`
	Address    string `json:"address"`
	Port       uint16 `json:"port"`
	Protocol   string `json:"protocol"`
}

// habits are what a person does by themselves.
type habits struct {
	Seed   uint64  `json:"seed"`
	Loss   float64 `json:"loss"`   // probability that a packet is lost, in each direction
	TCP    bool    `json:"tcp"`    // instead of UDP; then nothing is lost, and nobody complains
	Server bool    `json:"server"` // waits for the worker's ClientHello
}

const (
	maxMessage = 64 << 10 // bytes
	// dataStream is the id of the data channel by which a person writes. Those from 0 on are for what they read, as mediasoup's library
	// numbers data consumers.
	dataStream = 100
	readers    = 4
	// keepAlive is the time between two ICE checks; consent is given by them.
	keepAlive = time.Second
	// patience is how long pion waits for an answer before it gives up; the application is faster.
	patience = time.Minute
)

// streams are what a person can send: a voice, a camera with three encodings, a screen with three spatial layers.
var streams = []api.RTPCodecParameters{app.Opus, app.VP8, app.VP8, app.VP8, app.VP9}

type person struct {
	habits      habits
	pc          *webrtc.PeerConnection
	link        *link // nil over TCP
	mux         ice.UDPMux
	fingerprint string
	encoders    []*encoder
	gone        chan struct{}
	negotiating sync.Mutex
}

// newPerson returns a person who is not connected yet.
func newPerson(h habits) (p *person, err error) {
	p = &person{habits: h, gone: make(chan struct{})}
	if !h.TCP {
		if p.link, err = newLink(h); err != nil {
			return nil, err
		}
		p.mux = webrtc.NewICEUDPMux(silent{}.NewLogger("ice"), p.link)
	}
	if err := p.connection(); err != nil {
		p.leave()
		return nil, err
	}
	for i, codec := range streams {
		if err := p.addStream(i, codec); err != nil {
			p.leave()
			return nil, err
		}
	}
	if err := p.addChannels(); err != nil {
		p.leave()
		return nil, err
	}
	go p.live()
	return p, nil
}

// connection makes the peer connection.
func (p *person) connection() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	certificate, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return err
	}
	fingerprints, err := certificate.GetFingerprints()
	if err != nil {
		return err
	}
	p.fingerprint = fingerprints[0].Value
	var media webrtc.MediaEngine
	if err := registerCodecs(&media); err != nil {
		return err
	}
	p.pc, err = webrtc.NewAPI(webrtc.WithSettingEngine(p.settings()), webrtc.WithMediaEngine(&media)).
		NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{*certificate}})
	return err
}

func (p *person) settings() (s webrtc.SettingEngine) {
	s.LoggerFactory = silent{} // a bad peer has much to complain of
	s.SetIncludeLoopbackCandidate(true)
	s.SetIPFilter(func(ip net.IP) bool { return ip.Equal(net.IPv4(127, 0, 0, 1)) })
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetHostAcceptanceMinWait(0)
	s.SetICETimeouts(patience, patience, keepAlive)
	s.SetSCTPMaxMessageSize(maxMessage)
	if p.habits.TCP {
		s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	} else {
		s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
		s.SetICEUDPMux(p.mux)
	}
	return s
}

// silent logs nothing.
type silent struct{}

func (silent) NewLogger(scope string) logging.LeveledLogger {
	return logging.NewDefaultLeveledLoggerForScope(scope, logging.LogLevelDisabled, io.Discard)
}

func registerCodecs(m *webrtc.MediaEngine) error {
	return errors.Join(
		m.RegisterCodec(codecOf(app.Opus), webrtc.RTPCodecTypeAudio),
		m.RegisterCodec(codecOf(app.VP8), webrtc.RTPCodecTypeVideo),
		m.RegisterCodec(codecOf(app.VP9), webrtc.RTPCodecTypeVideo),
	)
}

func codecOf(c api.RTPCodecParameters) webrtc.RTPCodecParameters {
	p := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: c.MimeType, ClockRate: c.ClockRate},
		PayloadType:        webrtc.PayloadType(c.PayloadType),
	}
	if c.Channels != nil {
		p.Channels = uint16(*c.Channels)
	}
	return p
}

func (p *person) addStream(i int, codec api.RTPCodecParameters) error {
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: codec.MimeType}, fmt.Sprint("track", i), "stream")
	if err != nil {
		return err
	}
	transceiver, err := p.pc.AddTransceiverFromTrack(track)
	if err != nil {
		return err
	}
	e := &encoder{kind: codec.PayloadType, track: track, sender: transceiver.Sender()}
	p.encoders = append(p.encoders, e)
	go e.readRTCP()
	return nil
}

// addChannels makes a data channel to write by, and some to read from.
func (p *person) addChannels() error {
	for id := range uint16(readers) {
		if _, err := p.channel(id); err != nil {
			return err
		}
	}
	writer, err := p.channel(dataStream)
	if err != nil {
		return err
	}
	writer.OnOpen(func() { go p.write(writer) })
	return nil
}

func (p *person) channel(id uint16) (*webrtc.DataChannel, error) {
	return p.pc.CreateDataChannel(fmt.Sprint("channel", id), &webrtc.DataChannelInit{Negotiated: new(true), ID: new(id)})
}

func (p *person) ssrcs() (ssrcs []uint32) {
	for _, e := range p.encoders {
		ssrcs = append(ssrcs, uint32(e.sender.GetParameters().Encodings[0].SSRC))
	}
	return ssrcs
}

func (p *person) do(r request) error {
	switch r.Do {
	case "speak":
		p.encoders[r.Stream].on.Store(true)
	case "hush":
		p.encoders[r.Stream].on.Store(false)
	case "restart":
		return p.negotiate(r.Remote, &webrtc.OfferOptions{ICERestart: true})
	case "leave":
		p.leave()
	case "vanish":
		p.vanish()
	default:
		return fmt.Errorf("people cannot %q", r.Do)
	}
	return nil
}

// negotiate offers, and takes the transport as the answer. It does not wait for the connection.
func (p *person) negotiate(to remote, o *webrtc.OfferOptions) error {
	p.negotiating.Lock()
	defer p.negotiating.Unlock()
	offer, err := p.pc.CreateOffer(o)
	if err != nil {
		return err
	}
	if err := p.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	return p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: p.describe(to).SDP()})
}

func (p *person) describe(to remote) answer.Answer {
	c := to.Candidate
	a := answer.Answer{
		Fragment: to.UsernameFragment, Password: to.Password, Fingerprint: to.Fingerprint, PeerRole: api.DTLSRoleClient, MaxMessageSize: maxMessage,
		Candidate: api.ICECandidate{Foundation: c.Foundation, Priority: c.Priority, Address: c.Address, Port: c.Port},
	}
	if c.Protocol == "tcp" {
		a.Candidate.Protocol = api.ProtocolTCP
	}
	if p.habits.Server {
		a.PeerRole = api.DTLSRoleServer
	}
	for _, codec := range streams {
		a.Streams = append(a.Streams, answer.Stream{Codec: codec})
	}
	return a
}

// leave says goodbye. vanish does not: nothing that is sent meanwhile leaves.
func (p *person) leave() {
	close(p.gone)
	if p.pc != nil {
		_ = p.pc.Close()
	}
	if p.link != nil {
		_ = errors.Join(p.mux.Close(), p.link.Close())
	}
}

func (p *person) vanish() {
	if p.link != nil {
		p.link.cut()
	}
	p.leave()
}
