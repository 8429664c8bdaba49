package rtcpeer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net"

	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/answer"
	"gazpacho/peer-tests/app"
)

func newCertificate() (*webrtc.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return webrtc.GenerateCertificate(key)
}

// Fingerprint returns the SHA-256 fingerprint of the peer's certificate.
func (p *Peer) Fingerprint() api.Fingerprint {
	p.t.Helper()
	fingerprints, err := p.cert.GetFingerprints()
	require.NoError(p.t, err)
	require.Equal(p.t, "sha-256", fingerprints[0].Algorithm)
	return api.Fingerprint{Algorithm: api.FingerprintAlgorithmSha256, Value: fingerprints[0].Value}
}

// Connect exchanges the parameters of peer and transport, and waits until both report that they are connected.
func (p *Peer) Connect(tr *app.Transport) {
	p.t.Helper()
	tr.Connect(p.options.Role, p.Fingerprint())
	p.Negotiate(tr, nil)
	tr.WaitDTLS(api.DTLSStateConnected)
	tr.WaitICE(api.ICEStateCompleted)
	p.States.Wait(p.t, "the peer's own connection", func(s webrtc.PeerConnectionState) bool {
		return s == webrtc.PeerConnectionStateConnected
	})
}

// RestartICE restarts ICE on both sides: the peer gets new credentials and new sockets.
func (p *Peer) RestartICE(tr *app.Transport) {
	p.t.Helper()
	tr.RestartICE()
	p.Negotiate(tr, &webrtc.OfferOptions{ICERestart: true})
}

// Negotiate creates an offer and passes the transport's answer to the peer. It does not wait for the connection.
func (p *Peer) Negotiate(tr *app.Transport, o *webrtc.OfferOptions) {
	p.t.Helper()
	offer, err := p.pc.CreateOffer(o)
	require.NoError(p.t, err)
	require.NoError(p.t, p.pc.SetLocalDescription(offer))
	require.NoError(p.t, p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: p.answer(tr)}))
}

// answer describes a WebRtcTransport: the streams, data.
func (p *Peer) answer(tr *app.Transport) string {
	p.t.Helper()
	a := answer.Answer{
		Fragment: tr.ICE.UsernameFragment, Password: tr.ICE.Password, Fingerprint: sha256Of(tr.DTLS),
		Candidate: tr.Candidate(p.options.Protocol), PeerRole: p.options.Role, MaxMessageSize: p.options.MaxMessageSize,
	}
	if via, ok := p.options.Via.(*net.UDPAddr); ok {
		a.Candidate.Address, a.Candidate.Port = via.IP.String(), uint16(via.Port)
	}
	for i, codec := range p.options.Streams {
		s := answer.Stream{Codec: codec, SSRC: ReceiveSSRCOf(i)}
		if p.options.MaxBitrate > 0 {
			s.Attributes = []string{
				fmt.Sprintf("a=extmap:%d %s", TransportCCID, transportCCURI), fmt.Sprintf("a=rtcp-fb:%d transport-cc", codec.PayloadType),
			}
		}
		a.Streams = append(a.Streams, s)
	}
	return a.SDP()
}

func sha256Of(parameters api.DTLSParameters) string {
	for _, f := range parameters.Fingerprints {
		if f.Algorithm == api.FingerprintAlgorithmSha256 {
			return f.Value
		}
	}
	return ""
}
