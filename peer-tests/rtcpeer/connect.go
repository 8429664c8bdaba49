package rtcpeer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net"
	"strings"

	"github.com/pion/webrtc/v4"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
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

// answer describes a WebRtcTransport as SDP, with one section for each that pion offers: the streams, data.
func (p *Peer) answer(tr *app.Transport) string {
	p.t.Helper()
	transport := p.transportLines(tr)
	group := "a=group:BUNDLE"
	for mid := range len(p.options.Streams) + 1 {
		group += fmt.Sprint(" ", mid)
	}
	lines := []string{"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite", group}
	for mid, codec := range p.options.Streams {
		kind, encoding, _ := strings.Cut(codec.MimeType, "/")
		encoding += fmt.Sprint("/", codec.ClockRate)
		if codec.Channels != nil {
			encoding += fmt.Sprint("/", *codec.Channels)
		}
		lines = append(lines, fmt.Sprintf("m=%s 7 UDP/TLS/RTP/SAVPF %d", kind, codec.PayloadType), "c=IN IP4 127.0.0.1",
			fmt.Sprintf("a=mid:%d", mid), "a=sendrecv", "a=rtcp-mux", fmt.Sprintf("a=rtpmap:%d %s", codec.PayloadType, encoding),
			fmt.Sprintf("a=ssrc:%d cname:worker", ReceiveSSRCOf(mid)))
		if p.options.MaxBitrate > 0 {
			lines = append(lines, fmt.Sprintf("a=extmap:%d %s", TransportCCID, transportCCURI), fmt.Sprintf("a=rtcp-fb:%d transport-cc", codec.PayloadType))
		}
		lines = append(lines, transport...)
	}
	lines = append(lines, "m=application 7 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 127.0.0.1",
		fmt.Sprintf("a=mid:%d", len(p.options.Streams)), "a=sctp-port:5000", fmt.Sprintf("a=max-message-size:%d", p.options.MaxMessageSize))
	lines = append(lines, transport...)
	return strings.Join(lines, "\r\n") + "\r\n"
}

func (p *Peer) transportLines(tr *app.Transport) []string {
	p.t.Helper()
	setup := "a=setup:passive" // the worker waits for the peer's ClientHello
	if p.options.Role == api.DTLSRoleServer {
		setup = "a=setup:active"
	}
	lines := []string{"a=ice-ufrag:" + tr.ICE.UsernameFragment, "a=ice-pwd:" + tr.ICE.Password, setup}
	for _, f := range tr.DTLS.Fingerprints {
		if f.Algorithm == api.FingerprintAlgorithmSha256 {
			lines = append(lines, "a=fingerprint:sha-256 "+f.Value)
		}
	}
	c := tr.Candidate(p.options.Protocol)
	address := fmt.Sprintf("%s %d", c.Address, c.Port)
	if via, ok := p.options.Via.(*net.UDPAddr); ok {
		address = fmt.Sprintf("%s %d", via.IP, via.Port)
	}
	protocol, suffix := "udp", ""
	if p.options.Protocol == api.ProtocolTCP {
		protocol, suffix = "tcp", " tcptype passive"
	}
	return append(lines,
		fmt.Sprintf("a=candidate:%s 1 %s %d %s typ host%s", c.Foundation, protocol, c.Priority, address, suffix), "a=end-of-candidates")
}
