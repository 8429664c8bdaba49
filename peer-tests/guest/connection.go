package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"

	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
)

var errNoConnection = errors.New("media has no connection any more")

// quiet: what pion says when a connection ends is no news here. PION_LOG_DEBUG=ice and the like have parts of it speak.
var quiet = func() logging.LoggerFactory {
	f := logging.NewDefaultLoggerFactory()
	f.DefaultLogLevel = logging.LogLevelDisabled
	return f
}()

// clientParameters are what a transport of the server is connected with: guests start DTLS.
func clientParameters(certificate *webrtc.Certificate) (dtlsParameters, error) {
	fingerprints, err := certificate.GetFingerprints()
	if err != nil {
		return dtlsParameters{}, err
	}
	p := dtlsParameters{Role: "client"}
	for _, f := range fingerprints {
		p.Fingerprints = append(p.Fingerprints, fingerprint(f))
	}
	return p, nil
}

func newCertificate() (*webrtc.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return webrtc.GenerateCertificate(key)
}

// newConnection returns a peer connection for one of the two transports that the server has for a guest. lost is called if it fails.
func newConnection(certificate *webrtc.Certificate, media *webrtc.MediaEngine, interceptors *interceptor.Registry, lost func(error)) (
	*webrtc.PeerConnection, error,
) {
	s := webrtc.SettingEngine{LoggerFactory: quiet}
	s.SetIncludeLoopbackCandidate(true)
	s.SetHostAcceptanceMinWait(0)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	api := webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(interceptors))
	pc, err := api.NewPeerConnection(webrtc.Configuration{Certificates: []webrtc.Certificate{*certificate}})
	if err != nil {
		return nil, err
	}
	pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateFailed || state == webrtc.PeerConnectionStateClosed {
			lost(errNoConnection)
		}
	})
	return pc, nil
}

// engine returns the codecs of capabilities, and header extensions by their URIs.
func engine(c capabilities, audio, video []string) (*webrtc.MediaEngine, error) {
	var media webrtc.MediaEngine
	for _, codec := range c.Codecs {
		if err := media.RegisterCodec(codec.pion(), webrtc.NewRTPCodecType(codec.Kind)); err != nil {
			return nil, err
		}
	}
	for kind, uris := range map[webrtc.RTPCodecType][]string{webrtc.RTPCodecTypeAudio: audio, webrtc.RTPCodecTypeVideo: video} {
		for _, uri := range uris {
			if err := media.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				return nil, err
			}
		}
	}
	return &media, nil
}
