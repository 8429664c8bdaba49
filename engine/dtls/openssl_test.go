package dtls_test

import (
	"bufio"
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

// runOpenSSL starts openssl with the given certificate and arguments.
func runOpenSSL(t *testing.T, cert *dtls.Certificate, args ...string) *openssl {
	t.Helper()
	path, err := exec.LookPath("openssl")
	require.NoError(t, err, "this test needs the openssl command (Debian: apt-get install openssl)")
	der, key := cert.TLS()
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certFile := write(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	keyFile := write(t, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
	cmd := exec.Command(path, append(args, "-cert", certFile, "-key", keyFile)...)
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
func checkOpenSSL(t *testing.T, d *driver, o *openssl, client bool, want api.SRTPCryptoSuite, keyLen, saltLen int) {
	t.Helper()
	change := d.untilConnected(t)
	require.Equal(t, want, change.SRTP.Suite)
	material, err := hex.DecodeString(strings.TrimSpace(o.expect(t, "Keying material: ")))
	require.NoError(t, err)
	clientKeySalt := append(append([]byte{}, material[:keyLen]...), material[2*keyLen:2*keyLen+saltLen]...)
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

var opensslProfiles = []struct {
	name            string
	suite           api.SRTPCryptoSuite
	keyLen, saltLen int
}{
	{"SRTP_AEAD_AES_256_GCM", api.SRTPCryptoSuiteAEADAES256GCM, 32, 12},
	{"SRTP_AEAD_AES_128_GCM", api.SRTPCryptoSuiteAEADAES128GCM, 16, 12},
	{"SRTP_AES128_CM_SHA1_80", api.SRTPCryptoSuiteAESCM128HMACSHA180, 16, 14},
	{"SRTP_AES128_CM_SHA1_32", api.SRTPCryptoSuiteAESCM128HMACSHA132, 16, 14},
}

func TestWithOpenSSLClient(t *testing.T) {
	for _, p := range opensslProfiles {
		t.Run(p.name, func(t *testing.T) {
			socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			require.NoError(t, err)
			cert := generate()
			o := runOpenSSL(t, cert, "s_client", "-dtls1_2", "-connect", socket.LocalAddr().String(), "-use_srtp", p.name,
				"-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "88")
			first := make([]byte, 1500)
			require.NoError(t, socket.SetReadDeadline(time.Now().Add(patience)))
			n, from, err := socket.ReadFromUDP(first)
			require.NoError(t, err)
			require.NoError(t, socket.SetReadDeadline(time.Time{}))
			d := drive(t, newSide(t, dtls.Settings{}), &connectedUDP{socket, from})
			require.NoError(t, d.Start(dtls.Server, sha256Of(cert)))
			d.HandleDatagram(first[:n])
			checkOpenSSL(t, d, o, false, p.suite, p.keyLen, p.saltLen)
			require.NoError(t, o.stdin.Close()) // s_client sends close_notify and exits
			d.until(t, "close_notify", func() bool { return d.reached(api.DTLSStateClosed) })
		})
	}
}

func TestWithOpenSSLServer(t *testing.T) {
	for _, p := range opensslProfiles {
		t.Run(p.name, func(t *testing.T) {
			free, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			require.NoError(t, err)
			address := free.LocalAddr().(*net.UDPAddr)
			require.NoError(t, free.Close())
			cert := generate()
			o := runOpenSSL(t, cert, "s_server", "-dtls1_2", "-accept", address.String(), "-Verify", "1", "-use_srtp", p.name,
				"-keymatexport", "EXTRACTOR-dtls_srtp", "-keymatexportlen", "88")
			o.expect(t, "ACCEPT")
			conn, err := net.DialUDP("udp4", nil, address)
			require.NoError(t, err)
			d := drive(t, newSide(t, dtls.Settings{FlightInterval: 200 * time.Millisecond}), conn)
			require.NoError(t, d.Start(dtls.Client, sha256Of(cert)))
			checkOpenSSL(t, d, o, true, p.suite, p.keyLen, p.saltLen)
			d.Close()
			d.until(t, "our close_notify to leave", func() bool { return true })
			o.expect(t, "DONE")
		})
	}
}

// connectedUDP is a listening socket that sends to one peer.
type connectedUDP struct {
	*net.UDPConn
	peer *net.UDPAddr
}

func (c *connectedUDP) Write(b []byte) (int, error) { return c.WriteToUDP(b, c.peer) }
