package engine_test

import (
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	piondtls "github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/srtp"
	"gazpacho/engine/transport"
	"gazpacho/engine/wire/stun"
)

// server makes a WebRtcServer with a UDP and a TCP port.
func (a *app) server(id string) {
	a.T.Helper()
	a.Must("", api.MethodWorkerCreateWebRtcServer, &api.WorkerCreateWebRtcServerRequest{
		WebRtcServerID: id, ListenInfos: []api.ListenInfo{loopback(api.ProtocolUDP), loopback(api.ProtocolTCP)},
	})
}

// webRtcOptions are those of the Node library with SCTP enabled.
func webRtcOptions(listen api.WebRtcTransportListen) *api.WebRtcTransportOptions {
	return &api.WebRtcTransportOptions{
		Base: &api.TransportOptions{
			InitialAvailableOutgoingBitrate: new(uint64(600_000)), EnableSCTP: true, IsDataChannel: true,
			MaxSendMessageSize: 262144, MaxReceiveMessageSize: 262144,
		},
		Listen: listen, EnableUDP: true, EnableTCP: true, PreferUDP: true, ICEConsentTimeout: 30,
	}
}

// webRtc makes a WebRtcTransport behind a WebRtcServer, or with ports of its own when server is empty.
func (a *app) webRtc(router, id, server string) *api.WebRtcTransportDumpResponse {
	a.T.Helper()
	method := api.MethodRouterCreateWebRtcTransportWithServer
	options := webRtcOptions(&api.ListenServer{WebRtcServerID: server})
	if server == "" {
		method = api.MethodRouterCreateWebRtcTransport
		options.Listen = &api.ListenIndividual{ListenInfos: []api.ListenInfo{loopback(api.ProtocolUDP), loopback(api.ProtocolTCP)}}
	}
	return a.Must(router, method, &api.RouterCreateWebRtcTransportRequest{
		TransportID: id, Options: options,
	}).(*api.WebRtcTransportDumpResponse)
}

// connectWebRtc tells a transport the identity of its peer, which is the client of DTLS.
func (a *app) connectWebRtc(id string) {
	a.T.Helper()
	_, fingerprints := identity()
	a.Must(id, api.MethodWebRtcTransportConnect, &api.WebRtcTransportConnectRequest{
		DTLSParameters: &api.DTLSParameters{Fingerprints: fingerprints, Role: api.DTLSRoleClient},
	})
}

// candidate returns where a transport listens.
func candidate(d *api.WebRtcTransportDumpResponse, p api.Protocol) netip.AddrPort {
	for _, c := range d.ICECandidates {
		if c.Protocol == p {
			return netip.AddrPortFrom(netip.MustParseAddr(c.Address), c.Port)
		}
	}
	panic("no such candidate")
}

// check is the connectivity check of a browser that nominates at once.
func check(d *api.WebRtcTransportDumpResponse) []byte {
	return enginetest.ConnectivityCheck(d.ICEParameters.UsernameFragment, d.ICEParameters.Password, true)
}

// browser is a WebRTC peer: hand-made ICE, and pion's DTLS in the role of the client.
type browser struct {
	*enginetest.Peer
	transport *api.WebRtcTransportDumpResponse
	to        netip.AddrPort
	dtls      *piondtls.Conn
}

// newBrowser returns a peer that the test closes itself.
func newBrowser(t testing.TB, transport *api.WebRtcTransportDumpResponse) *browser {
	return &browser{Peer: enginetest.OpenPeer(t), transport: transport, to: candidate(transport, api.ProtocolUDP)}
}

// checkUDP completes ICE.
func (b *browser) checkUDP() {
	b.T.Helper()
	b.SendTo(b.to, check(b.transport))
	requireSuccess(b.T, b.Receive())
}

func requireSuccess(t testing.TB, b []byte) {
	t.Helper()
	var m stun.Message
	require.NoError(t, m.Parse(b))
	require.Equal(t, stun.SuccessResponse, m.Class)
}

// identity is a peer's certificate, and how signalling tells it.
var identity = sync.OnceValues(func() (tls.Certificate, []api.Fingerprint) {
	cert, err := selfsign.GenerateSelfSigned()
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(cert.Certificate[0])
	value := strings.ToUpper(strings.ReplaceAll(fmt.Sprintf("% x", sum), " ", ":"))
	return cert, []api.Fingerprint{{Algorithm: api.FingerprintAlgorithmSha256, Value: value}}
})

// handshake completes DTLS with the identity that the worker was told.
func (b *browser) handshake() {
	b.T.Helper()
	cert, _ := identity()
	conn, err := piondtls.ClientWithOptions(dtlsOnly{b.Conn}, net.UDPAddrFromAddrPort(b.to),
		piondtls.WithCertificates(cert),
		piondtls.WithInsecureSkipVerify(true),
		piondtls.WithSRTPProtectionProfiles(piondtls.SRTP_AEAD_AES_128_GCM))
	require.NoError(b.T, err)
	require.NoError(b.T, conn.Handshake())
	b.dtls = conn
}

// sender returns what encrypts RTP with the keys of the handshake.
func (b *browser) sender() *srtp.Sender {
	b.T.Helper()
	state, ok := b.dtls.ConnectionState()
	require.True(b.T, ok)
	material, err := state.ExportKeyingMaterial("EXTRACTOR-dtls_srtp", nil, 2*28)
	require.NoError(b.T, err)
	s, err := srtp.NewSender(srtp.AEADAES128GCM, append(append([]byte{}, material[:16]...), material[32:44]...))
	require.NoError(b.T, err)
	return s
}

// sendRTP encrypts a packet and sends it.
func (b *browser) sendRTP(s *srtp.Sender, packet []byte) {
	b.T.Helper()
	sealed := append(packet, make([]byte, 32)...)
	n, err := s.ProtectRTP(sealed, len(packet), 12)
	require.NoError(b.T, err)
	b.SendTo(b.to, sealed[:n])
}

// close ends the peer's side.
func (b *browser) close() {
	b.T.Helper()
	if b.dtls != nil {
		require.NoError(b.T, b.dtls.Close())
	}
	b.Conn.Close()
}

// dtlsOnly is a socket as pion shall see it: without STUN, RTP and RTCP.
type dtlsOnly struct{ *net.UDPConn }

// ReadFrom implements net.PacketConn.
func (c dtlsOnly) ReadFrom(b []byte) (n int, from net.Addr, err error) {
	for {
		n, from, err = c.UDPConn.ReadFrom(b)
		if err != nil || transport.LooksLikeDTLS(b[:n]) {
			return n, from, err
		}
	}
}

// Close leaves the socket to the browser.
func (c dtlsOnly) Close() error { return c.SetReadDeadline(time.Now()) }
