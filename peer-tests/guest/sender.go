package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// sender is what a guest sends: a microphone, and a camera with an encoding for each layer.
type sender struct {
	guest        *guest
	pc           *webrtc.PeerConnection
	capabilities capabilities
	sound        *webrtc.TrackLocalStaticRTP
	microphone   *webrtc.RTPSender
	pictures     [layers]*webrtc.TrackLocalStaticRTP
	camera       *webrtc.RTPSender   // nil without one
	wanted       [layers]atomic.Bool // a key frame is
}

func newSender(g *guest, c capabilities, certificate *webrtc.Certificate, lost func(error)) (*sender, error) {
	media, err := engine(c, []string{audioLevelURI, transportCCURI}, []string{transportCCURI})
	if err != nil {
		return nil, err
	}
	var interceptors interceptor.Registry
	if err := errors.Join(
		webrtc.ConfigureRTCPReports(&interceptors), webrtc.ConfigureNack(media, &interceptors),
		webrtc.ConfigureTWCCHeaderExtensionSender(media, &interceptors),
	); err != nil {
		return nil, err
	}
	s := &sender{guest: g, capabilities: c}
	if s.pc, err = newConnection(certificate, media, &interceptors, lost); err != nil {
		return nil, err
	}
	if err := errors.Join(s.addMicrophone(), s.addCamera()); err != nil {
		return nil, errors.Join(err, s.pc.Close())
	}
	return s, nil
}

var sendOnly = webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}

func (s *sender) addMicrophone() (err error) {
	if s.sound, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "microphone", s.guest.name); err != nil {
		return err
	}
	transceiver, err := s.pc.AddTransceiverFromTrack(s.sound, sendOnly)
	if err != nil {
		return err
	}
	s.microphone = transceiver.Sender()
	return nil
}

func (s *sender) addCamera() (err error) {
	if s.guest.film == nil {
		return nil
	}
	for l := range s.pictures {
		s.pictures[l], err = webrtc.NewTrackLocalStaticRTP(
			webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "camera", s.guest.name, webrtc.WithRTPStreamID(rid(l)))
		if err != nil {
			return err
		}
	}
	transceiver, err := s.pc.AddTransceiverFromTrack(s.pictures[0], sendOnly)
	if err != nil {
		return err
	}
	s.camera = transceiver.Sender()
	for _, picture := range s.pictures[1:] {
		if err := s.camera.AddEncoding(picture); err != nil {
			return err
		}
	}
	return nil
}

func rid(layer int) string { return fmt.Sprint("r", layer) }

// connect connects the peer connection with a transport of the server, which knows the guest's certificate.
func (s *sender) connect(t transport) error {
	offer, err := s.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	if err := s.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	return s.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answerTo(offer.SDP, t)})
}

// parameters of what a source sends, for the server.
func (s *sender) parameters(kind string, r *webrtc.RTPSender) rtpParameters {
	p := rtpParameters{Codecs: s.capabilities.of(kind), HeaderExtensions: []extension{}, RTCP: rtcpParameters{CNAME: s.guest.tab}}
	sent := r.GetParameters()
	for _, e := range sent.HeaderExtensions {
		p.HeaderExtensions = append(p.HeaderExtensions, extension{URI: e.URI, ID: e.ID})
	}
	for _, e := range sent.Encodings {
		one := encoding{RID: e.RID, SSRC: uint32(e.SSRC)}
		if e.RTX.SSRC != 0 {
			one.RTX = &retransmission{uint32(e.RTX.SSRC)}
		}
		p.Encodings = append(p.Encodings, one)
	}
	return p
}

// start sends until ctx is done.
func (s *sender) start(ctx context.Context) {
	go s.follow(s.microphone, nil)
	go s.talk(ctx)
	if s.camera != nil {
		for l := range s.wanted {
			go s.follow(s.camera, &s.wanted[l], rid(l))
		}
		go s.show(ctx)
	}
}

// follow reads reports and feedback about an encoding, until the connection is closed: pion's interceptors repair by them what is lost, and
// here key frames are asked for.
func (s *sender) follow(r *webrtc.RTPSender, wanted *atomic.Bool, rids ...string) {
	read := r.ReadRTCP
	if len(rids) > 0 {
		read = func() ([]rtcp.Packet, interceptor.Attributes, error) { return r.ReadSimulcastRTCP(rids[0]) }
	}
	for {
		packets, _, err := read()
		if err != nil {
			return
		}
		for _, p := range packets {
			switch p.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				wanted.Store(true)
			}
		}
	}
}
