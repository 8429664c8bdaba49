package dtls_test

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

// openssl is a running "openssl s_client" or "s_server".
type openssl struct {
	stdin io.WriteCloser
	lines chan string
}

// pemFiles are a certificate and its key for openssl.
type pemFiles struct {
	cert, key string
	der       []byte
}

// fingerprint returns what signalling announces.
func (f pemFiles) fingerprint() []api.Fingerprint { return dtls.FingerprintsOf(f.der)[2:3] }

func filesOf(t *testing.T, c *dtls.Certificate) pemFiles {
	t.Helper()
	der, key := c.TLS()
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return pemFiles{
		cert: write(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		key:  write(t, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})),
		der:  der,
	}
}

func opensslPath(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("openssl")
	require.NoError(t, err, "this test needs the openssl command (Debian: apt-get install openssl)")
	return path
}

// runOpenSSL starts openssl with the given certificate and arguments.
func runOpenSSL(t *testing.T, cert pemFiles, args ...string) *openssl {
	t.Helper()
	var err error
	cmd := exec.Command(opensslPath(t), append(args, "-cert", cert.cert, "-key", cert.key)...)
	o := &openssl{lines: make(chan string, 1000)}
	o.stdin, err = cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = cmd.Stdout
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = o.stdin.Close()
		_ = cmd.Process.Kill()
		for range o.lines { // until the output ends
		}
		_ = cmd.Wait()
	})
	go func() {
		defer close(o.lines)
		for s := bufio.NewScanner(stdout); s.Scan(); {
			o.lines <- s.Text()
		}
	}()
	return o
}

// expect reads lines up to one that contains text, and returns what follows text in it.
func (o *openssl) expect(t *testing.T, text string) string {
	t.Helper()
	deadline := time.After(patience)
	var seen []string
	for {
		select {
		case line, ok := <-o.lines:
			require.True(t, ok, "openssl ended without %q:\n%s", text, strings.Join(seen, "\n"))
			seen = append(seen, line)
			if _, after, found := strings.Cut(line, text); found {
				return after
			}
		case <-deadline:
			require.FailNow(t, "openssl did not print "+text, strings.Join(seen, "\n"))
		}
	}
}

// checkOpenSSL compares the SRTP keys with what openssl exported, and carries a line in both directions.
func checkOpenSSL(t *testing.T, d *driver, o *openssl, client bool, p opensslProfile) {
	t.Helper()
	change := d.untilConnected(t)
	require.Equal(t, p.suite, change.SRTP.Suite)
	material, err := hex.DecodeString(strings.TrimSpace(o.expect(t, "Keying material: ")))
	require.NoError(t, err)
	clientKeySalt := append(append([]byte{}, material[:p.keyLen]...), material[2*p.keyLen:2*p.keyLen+p.saltLen]...)
	local := change.SRTP.LocalKeySalt
	if !client {
		local = change.SRTP.RemoteKeySalt
	}
	require.Equal(t, clientKeySalt, local)

	_, err = io.WriteString(o.stdin, "from openssl\n")
	require.NoError(t, err)
	d.until(t, "openssl's line", func() bool { return len(d.data) > 0 })
	require.Equal(t, []string{"from openssl\n"}, d.data)
	require.NoError(t, d.Write([]byte("to openssl\n")))
	d.until(t, "the datagram to leave", func() bool { return true })
	o.expect(t, "to openssl")
}

type opensslProfile struct {
	name            string
	suite           api.SRTPCryptoSuite
	keyLen, saltLen int
}

var opensslProfiles = []opensslProfile{
	{"SRTP_AEAD_AES_256_GCM", api.SRTPCryptoSuiteAEADAES256GCM, 32, 12},
	{"SRTP_AEAD_AES_128_GCM", api.SRTPCryptoSuiteAEADAES128GCM, 16, 12},
	{"SRTP_AES128_CM_SHA1_80", api.SRTPCryptoSuiteAESCM128HMACSHA180, 16, 14},
	{"SRTP_AES128_CM_SHA1_32", api.SRTPCryptoSuiteAESCM128HMACSHA132, 16, 14},
}

// startOpenSSLClient runs s_client and a server for it.
func startOpenSSLClient(
	t *testing.T, s dtls.Settings, own *dtls.Certificate, peer pemFiles, p opensslProfile, args ...string,
) (*driver, *openssl) {
	t.Helper()
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	o := runOpenSSL(t, peer, append([]string{
		"s_client", "-dtls1_2", "-connect", socket.LocalAddr().String(), "-use_srtp", p.name,
		"-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "88",
	}, args...)...)
	first := make([]byte, 1500)
	require.NoError(t, socket.SetReadDeadline(time.Now().Add(patience)))
	n, from, err := socket.ReadFromUDP(first)
	require.NoError(t, err)
	require.NoError(t, socket.SetReadDeadline(time.Time{}))
	d := drive(t, newSideWith(t, own, s), &connectedUDP{socket, from})
	require.NoError(t, d.Start(dtls.Server, peer.fingerprint()))
	d.HandleDatagram(first[:n])
	return d, o
}

// startOpenSSLServer runs s_server and a client for it.
func startOpenSSLServer(
	t *testing.T, s dtls.Settings, own *dtls.Certificate, peer pemFiles, p opensslProfile, args ...string,
) (*driver, *openssl) {
	t.Helper()
	free, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	address := free.LocalAddr().(*net.UDPAddr)
	require.NoError(t, free.Close())
	o := runOpenSSL(t, peer, append([]string{
		"s_server", "-dtls1_2", "-accept", address.String(), "-Verify", "1", "-use_srtp", p.name,
		"-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "88",
	}, args...)...)
	o.expect(t, "ACCEPT")
	conn, err := net.DialUDP("udp4", nil, address)
	require.NoError(t, err)
	s.FlightInterval = 200 * time.Millisecond
	d := drive(t, newSideWith(t, own, s), conn)
	require.NoError(t, d.Start(dtls.Client, peer.fingerprint()))
	return d, o
}

// withBothRoles carries data between openssl, as client and as server, and a transport.
func withBothRoles(t *testing.T, own *dtls.Certificate, peer pemFiles, p opensslProfile, args ...string) {
	t.Helper()
	t.Run("openssl is the client", func(t *testing.T) {
		d, o := startOpenSSLClient(t, dtls.Settings{}, own, peer, p, args...)
		checkOpenSSL(t, d, o, false, p)
		require.NoError(t, o.stdin.Close()) // s_client sends close_notify and exits
		d.until(t, "close_notify", func() bool { return d.reached(api.DTLSStateClosed) })
	})
	t.Run("openssl is the server", func(t *testing.T) {
		d, o := startOpenSSLServer(t, dtls.Settings{}, own, peer, p, args...)
		checkOpenSSL(t, d, o, true, p)
		d.Close()
		d.until(t, "our close_notify to leave", func() bool { return true })
		o.expect(t, "DONE")
	})
}

func TestWithOpenSSL(t *testing.T) {
	for _, p := range opensslProfiles {
		t.Run(p.name, func(t *testing.T) { withBothRoles(t, testCertificate, filesOf(t, generate()), p) })
	}
}

// A peer may offer one cipher suite only.
func TestOpenSSLCipherSuites(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	files := writeFiles(t, rsaKey)
	withRSA, err := dtls.LoadCertificate(files.cert, files.own)
	require.NoError(t, err)
	for _, suite := range []struct {
		name string
		cert *dtls.Certificate
	}{
		{"ECDHE-ECDSA-AES128-GCM-SHA256", testCertificate},
		{"ECDHE-ECDSA-AES256-GCM-SHA384", testCertificate},
		{"ECDHE-ECDSA-CHACHA20-POLY1305", testCertificate},
		{"ECDHE-RSA-AES128-GCM-SHA256", withRSA},
		{"ECDHE-RSA-AES256-GCM-SHA384", withRSA},
		{"ECDHE-RSA-CHACHA20-POLY1305", withRSA},
	} {
		t.Run(suite.name, func(t *testing.T) {
			withBothRoles(t, suite.cert, filesOf(t, suite.cert), opensslProfiles[1], "-cipher", suite.name)
		})
	}
}

// docs/security.md says which suites are left out.
func TestCipherSuitesThatAreRefused(t *testing.T) {
	for _, name := range []string{"ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-CCM"} {
		t.Run(name, func(t *testing.T) {
			d, _ := startOpenSSLClient(t, dtls.Settings{}, testCertificate, filesOf(t, generate()), opensslProfiles[1], "-cipher", name)
			d.until(t, "the refusal", func() bool { return d.reached(api.DTLSStateFailed) })
			require.False(t, d.reached(api.DTLSStateConnected))
		})
	}
}

// connectedUDP is a listening socket that sends to one peer.
type connectedUDP struct {
	*net.UDPConn
	peer *net.UDPAddr
}

func (c *connectedUDP) Write(b []byte) (int, error) { return c.WriteToUDP(b, c.peer) }
