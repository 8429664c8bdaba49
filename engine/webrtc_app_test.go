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
	"gazpacho/engine/srtp"
	"gazpacho/engine/transport"
	"gazpacho/engine/wire/stun"
)

// loopback returns a ListenInfo whose port comes from the worker's range.
func loopback(p api.Protocol) api.ListenInfo {
	return api.ListenInfo{Protocol: p, IP: "127.0.0.1", PortRange: &api.PortRange{}, Flags: &api.SocketFlags{}}
}

// server makes a WebRtcServer with a UDP and a TCP port.
func (a *app) server(id string) {
	a.t.Helper()
	a.must("", api.MethodWorkerCreateWebRtcServer, &api.WorkerCreateWebRtcServerRequest{
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
	a.t.Helper()
	method := api.MethodRouterCreateWebRtcTransportWithServer
	options := webRtcOptions(&api.ListenServer{WebRtcServerID: server})
	if server == "" {
		method = api.MethodRouterCreateWebRtcTransport
		options.Listen = &api.ListenIndividual{ListenInfos: []api.ListenInfo{loopback(api.ProtocolUDP), loopback(api.ProtocolTCP)}}
	}
	return a.must(router, method, &api.RouterCreateWebRtcTransportRequest{
		TransportID: id, Options: options,
	}).(*api.WebRtcTransportDumpResponse)
}

// connectWebRtc tells a transport the identity of its peer, which is the client of DTLS.
func (a *app) connectWebRtc(id string) {
	a.t.Helper()
	_, fingerprints := identity()
	a.must(id, api.MethodWebRtcTransportConnect, &api.WebRtcTransportConnectRequest{
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
	w := stun.Build(nil, stun.Request, stun.Binding, stun.TransactionID([]byte("transaction!")))
	w.String(stun.Username, d.ICEParameters.UsernameFragment+":remote")
	w.Uint32(stun.Priority, 1853693695)
	w.Uint64(stun.ICEControlling, 1)
	w.Flag(stun.UseCandidate)
	w.Integrity(stun.NewKey(d.ICEParameters.Password))
	w.Fingerprint()
	return w.Message()
}

// browser is a WebRTC peer: hand-made ICE, and pion's DTLS in the role of the client.
type browser struct {
	*peer
	transport *api.WebRtcTransportDumpResponse
	to        netip.AddrPort
	dtls      *piondtls.Conn
}

// newBrowser returns a peer that the test closes itself.
func newBrowser(t *testing.T, transport *api.WebRtcTransportDumpResponse) *browser {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	return &browser{peer: &peer{t, conn}, transport: transport, to: candidate(transport, api.ProtocolUDP)}
}

// checkUDP completes ICE.
func (b *browser) checkUDP() {
	b.t.Helper()
	_, err := b.conn.WriteToUDPAddrPort(check(b.transport), b.to)
	require.NoError(b.t, err)
	requireSuccess(b.t, b.receive())
}

func requireSuccess(t *testing.T, b []byte) {
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
	b.t.Helper()
	cert, _ := identity()
	conn, err := piondtls.ClientWithOptions(dtlsOnly{b.conn}, net.UDPAddrFromAddrPort(b.to),
		piondtls.WithCertificates(cert),
		piondtls.WithInsecureSkipVerify(true),
		piondtls.WithSRTPProtectionProfiles(piondtls.SRTP_AEAD_AES_128_GCM))
	require.NoError(b.t, err)
	require.NoError(b.t, conn.Handshake())
	b.dtls = conn
}

// sender returns what encrypts RTP with the keys of the handshake.
func (b *browser) sender() *srtp.Sender {
	b.t.Helper()
	state, ok := b.dtls.ConnectionState()
	require.True(b.t, ok)
	material, err := state.ExportKeyingMaterial("EXTRACTOR-dtls_srtp", nil, 2*28)
	require.NoError(b.t, err)
	s, err := srtp.NewSender(srtp.AEADAES128GCM, append(append([]byte{}, material[:16]...), material[32:44]...))
	require.NoError(b.t, err)
	return s
}

// sendRTP encrypts a packet and sends it.
func (b *browser) sendRTP(s *srtp.Sender, packet []byte) {
	b.t.Helper()
	sealed := append(packet, make([]byte, 32)...)
	n, err := s.ProtectRTP(sealed, len(packet), 12)
	require.NoError(b.t, err)
	_, err = b.conn.WriteToUDPAddrPort(sealed[:n], b.to)
	require.NoError(b.t, err)
}

// close ends the peer's side.
func (b *browser) close() {
	b.t.Helper()
	if b.dtls != nil {
		require.NoError(b.t, b.dtls.Close())
	}
	b.conn.Close()
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
