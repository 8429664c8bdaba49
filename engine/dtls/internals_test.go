package dtls_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	piondtls "github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/dtls"
)

// recordedConn is a connection of pion that records what this package relies on although pion documents none of it.
type recordedConn struct {
	*memoryConn
	mu        sync.Mutex
	keyLog    bytes.Buffer
	nextSeq   uint64 // the highest number of a record sent in epoch 1, plus one
	readLens  []int  // lengths of the buffers that pion reads into
	deadlines []time.Time
	onRead    func() // called when a read begins
}

// Write receives the key log.
func (c *recordedConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keyLog.Write(b)
}

func (c *recordedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	if c.onRead != nil {
		c.onRead()
	}
	n, from, err := c.memoryConn.ReadFrom(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readLens = append(c.readLens, len(b))
	return n, from, err
}

func (c *recordedConn) WriteTo(b []byte, to net.Addr) (int, error) {
	c.mu.Lock()
	for _, r := range splitRecords(b) {
		if numbers := binary.BigEndian.Uint64(r[3:]); numbers>>48 == 1 {
			c.nextSeq = max(c.nextSeq, numbers&(1<<48-1)+1)
		}
	}
	c.mu.Unlock()
	return c.memoryConn.WriteTo(b, to)
}

func (c *recordedConn) SetReadDeadline(at time.Time) error {
	c.mu.Lock()
	c.deadlines = append(c.deadlines, at)
	c.mu.Unlock()
	return c.memoryConn.SetReadDeadline(at)
}

// pionPair runs a handshake between a client and a server of pion.
func pionPair(t *testing.T, suite piondtls.CipherSuiteID) (conns [2]*piondtls.Conn, recorded [2]*recordedConn) {
	t.Helper()
	near, far := memoryPipe()
	recorded = [2]*recordedConn{{memoryConn: near}, {memoryConn: far}}
	options := func(i int) []piondtls.Option {
		return []piondtls.Option{
			piondtls.WithCertificates(tlsCertificate(testCertificate)), piondtls.WithInsecureSkipVerify(true),
			piondtls.WithCipherSuites(suite), piondtls.WithKeyLogWriter(recorded[i]),
		}
	}
	var client []piondtls.ClientOption
	for _, o := range options(0) {
		client = append(client, o.(piondtls.ClientOption))
	}
	server := []piondtls.ServerOption{
		piondtls.WithClientAuth(piondtls.RequireAnyClientCert), piondtls.WithInsecureSkipVerifyHello(true),
	}
	for _, o := range options(1) {
		server = append(server, o.(piondtls.ServerOption))
	}
	var err error
	conns[0], err = piondtls.ClientWithOptions(recorded[0], near.RemoteAddr(), client...)
	require.NoError(t, err)
	conns[1], err = piondtls.ServerWithOptions(recorded[1], far.RemoteAddr(), server...)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- conns[0].Handshake() }()
	require.NoError(t, conns[1].Handshake())
	require.NoError(t, <-done)
	t.Cleanup(func() {
		for i := range conns {
			_ = conns[i].Close()
			_ = recorded[i].Close()
		}
	})
	return conns, recorded
}

// TestPionInternals checks what this package takes from pion although pion does not promise it. When it fails after an update
// of pion, read what the failed part names before anything else is changed: a wrong sequence number, for one, repeats a nonce.
func TestPionInternals(t *testing.T) {
	for _, suite := range suitesOfRecords {
		conns, recorded := pionPair(t, suite)
		for i, c := range conns {
			isClient := i == 0
			r := recorded[i]
			side := fmt.Sprintf("%s, client %t: ", suite, isClient)
			t.Run(side+"State.MarshalBinary is a gob with these fields", func(t *testing.T) {
				requireExportedState(t, c, r, suite, isClient)
			})
			t.Run(side+"the key log is one line, CLIENT_RANDOM, random and secret", func(t *testing.T) {
				state, _ := c.ConnectionState()
				exported, err := dtls.ExportState(&state)
				require.NoError(t, err)
				random := exported.RemoteRandom
				if isClient {
					random = exported.LocalRandom
				}
				r.mu.Lock()
				defer r.mu.Unlock()
				require.Equal(t, fmt.Sprintf("CLIENT_RANDOM %x %x\n", random, exported.MasterSecret), r.keyLog.String())
			})
			t.Run(side+"the read buffer is as long as the longest datagram of a handshake", func(t *testing.T) {
				r.mu.Lock()
				defer r.mu.Unlock()
				require.NotEmpty(t, r.readLens)
				for _, n := range r.readLens {
					require.Equal(t, dtls.MaxDatagramLen, n)
				}
			})
		}
	}
}

// TestPionReadDeadlines checks what conn.SetReadDeadline relies on: a deadline is zero or in the past.
func TestPionReadDeadlines(t *testing.T) {
	near, far := memoryPipe()
	reading := make(chan struct{})
	c := &recordedConn{memoryConn: near, onRead: sync.OnceFunc(func() { close(reading) })}
	client, err := piondtls.ClientWithOptions(c, near.RemoteAddr(), piondtls.WithCertificates(tlsCertificate(testCertificate)),
		piondtls.WithInsecureSkipVerify(true))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = far.Read(make([]byte, 2000)) // the ClientHello: the handshake runs
		<-reading                           // a read that has begun is what a deadline ends
		cancel()
	}()
	require.ErrorIs(t, client.HandshakeContext(ctx), context.Canceled)
	_ = client.Close()
	_ = near.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	require.NotEmpty(t, c.deadlines)
	for _, at := range c.deadlines {
		require.True(t, at.IsZero() || at.Before(time.Now()), "%v", at)
	}
}

// requireExportedState compares each field of the exported state with what is known of it otherwise.
func requireExportedState(t *testing.T, c *piondtls.Conn, r *recordedConn, suite piondtls.CipherSuiteID, isClient bool) {
	t.Helper()
	state, ok := c.ConnectionState()
	require.True(t, ok)
	e, err := dtls.ExportState(&state)
	require.NoError(t, err)
	remote := state.RemoteRandomBytes()
	require.Equal(t, remote[:], e.RemoteRandom[4:], "RemoteRandom: seconds, then the random bytes")
	require.Equal(t, uint16(suite), e.CipherSuiteID, "CipherSuiteID")
	require.Equal(t, isClient, e.IsClient, "IsClient")
	require.Equal(t, uint16(1), e.LocalEpoch, "LocalEpoch")
	r.mu.Lock()
	require.NotZero(t, r.nextSeq)
	require.Equal(t, r.nextSeq, e.SequenceNumber, "SequenceNumber: the next one")
	r.mu.Unlock()

	// RFC 5705 section 4: the exporter is the PRF of the master secret and both randoms.
	client, server := e.RemoteRandom, e.LocalRandom
	if isClient {
		client, server = e.LocalRandom, e.RemoteRandom
	}
	want, err := state.ExportKeyingMaterial("EXTRACTOR-dtls_srtp", nil, 60)
	require.NoError(t, err)
	seed := append(append([]byte("EXTRACTOR-dtls_srtp"), client[:]...), server[:]...)
	got, err := prf.PHash(e.MasterSecret, seed, 60, dtls.SuiteHash(suite))
	require.NoError(t, err)
	require.Equal(t, want, got, "MasterSecret, LocalRandom, RemoteRandom")
}
