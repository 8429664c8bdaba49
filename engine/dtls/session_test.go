package dtls_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	piondtls "github.com/pion/dtls/v3"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
)

func TestDataOfAllLengths(t *testing.T) {
	for _, suite := range suitesOfRecords {
		t.Run(suite.String(), func(t *testing.T) { requireDataOfAllLengths(t, connectedWith(t, suite)) })
	}
}

func requireDataOfAllLengths(t *testing.T, p *pair) {
	t.Helper()
	for _, n := range []int{1, 2, 100, 1200, 9000, dtls.MaxPlaintextLen - len(" back")} {
		p.exchange(t, string(bytes.Repeat([]byte{'a'}, n)))
	}
	require.ErrorIs(t, p.client.Write(nil), dtls.ErrDataLength)
	require.ErrorIs(t, p.client.Write(make([]byte, dtls.MaxPlaintextLen+1)), dtls.ErrDataLength)
}

func TestWriteBeforeConnected(t *testing.T) {
	s := newSide(t, dtls.Settings{})
	require.ErrorIs(t, s.Write([]byte("x")), dtls.ErrNotConnected)
	require.NoError(t, s.Start(dtls.Server, sha256Of(s.cert)))
	require.ErrorIs(t, s.Write([]byte("x")), dtls.ErrNotConnected)
}

// Records that are not authentic have no effect on an established association.
func TestForgeriesAfterTheHandshakeChangeNothing(t *testing.T) {
	for _, suite := range suitesOfRecords {
		t.Run(suite.String(), func(t *testing.T) { requireForgeriesChangeNothing(t, connectedWith(t, suite)) })
	}
}

func requireForgeriesChangeNothing(t *testing.T, p *pair) {
	t.Helper()
	hello, finished := slices.Clone(p.client.sent[0]), slices.Clone(p.client.sent[len(p.client.sent)-1])
	require.NoError(t, p.client.Write([]byte("genuine")))
	genuine := p.client.poll()[0]

	forged := slices.Concat(garbage(hello), [][]byte{
		hello,
		finished, // the client's last flight: its Finished is genuine, and the session has not opened it yet
		{21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 99, 0, 2, 2, 40},    // unencrypted fatal alert
		{21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 100, 0, 2, 1, 0},    // unencrypted close_notify
		{20, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 101, 0, 1, 1},       // ChangeCipherSpec
		{23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 102, 0, 3, 1, 2, 3}, // too short for a tag
		{23, 0xfe, 0xfd, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	})
	for i := range genuine {
		changed := slices.Clone(genuine)
		changed[i] ^= 0x01
		forged = append(forged, changed, genuine[:i])
	}
	for _, b := range forged {
		p.server.HandleDatagram(b)
		p.client.HandleDatagram(b)
	}
	require.Empty(t, p.client.poll())
	answer := p.server.poll()
	require.LessOrEqual(t, len(answer), 1, "at most the last flight again, in response to the genuine Finished")
	require.Equal(t, []string{"CONNECTING", "CONNECTED"}, p.server.names())
	require.Equal(t, []string{"CONNECTING", "CONNECTED"}, p.client.names())
	require.Empty(t, p.server.data)
	require.NotZero(t, p.server.Counters().Unauthentic)
	require.NotZero(t, p.server.Counters().Malformed)

	p.server.HandleDatagram(genuine)
	p.server.HandleDatagram(genuine)
	p.server.poll()
	require.Equal(t, []string{"genuine"}, p.server.data, "once, in spite of the replay")
	p.exchange(t, "still here")
}

func TestReorderedDataArrivesOnce(t *testing.T) {
	p := connected(t)
	for i := range 64 {
		require.NoError(t, p.client.Write(fmt.Appendf(nil, "%02d", i)))
	}
	datagrams := p.client.poll()
	slices.Reverse(datagrams)
	for range 2 {
		for _, b := range datagrams {
			p.server.HandleDatagram(b)
		}
	}
	p.server.poll()
	require.Len(t, p.server.data, 64)
	require.Equal(t, "63", p.server.data[0])
	require.Equal(t, "00", p.server.data[63])
	require.Equal(t, uint64(64), p.server.Counters().Unauthentic)
}

func TestSeveralRecordsInOneDatagram(t *testing.T) {
	p := connected(t)
	require.NoError(t, p.client.Write([]byte("one")))
	require.NoError(t, p.client.Write([]byte("two")))
	p.server.HandleDatagram(bytes.Join(p.client.poll(), nil))
	p.server.poll()
	require.Equal(t, []string{"one", "two"}, p.server.data)
}

// When the server's Finished is lost, the client repeats its own, and the server then repeats its last flight.
func TestLostLastFlight(t *testing.T) {
	p := newPair(t, dtls.Settings{FlightInterval: 20 * time.Millisecond}, dtls.Settings{})
	lost := 0
	p.link = func(from *side, _ int, b []byte) [][]byte {
		if from == p.server && b[0] == 20 && lost < 3 {
			lost++
			return nil
		}
		return [][]byte{b}
	}
	p.connect(t)
	require.Equal(t, 3, lost)
	p.exchange(t, "at the fourth attempt")
}

func TestReplayWindow(t *testing.T) {
	var w dtls.Window
	for _, step := range []struct {
		seq   uint64
		fresh bool
	}{
		{0, true},
		{0, false},
		{2, true},
		{1, true},
		{1, false},
		{2, false},
		{65, true},
		{2, false},
		{3, true},
		{3, false},
		{64, true},
		{66, true},
		{3, false},
		{2, false},
		{4, true},
		{1 << 40, true},
		{66, false},
		{1<<40 - 63, true},
		{1<<40 - 64, false},
		{1<<48 - 1, true},
		{1 << 40, false},
	} {
		require.Equal(t, step.fresh, w.Accept(step.seq), "%d", step.seq)
	}
}

func TestSequenceNumbersEnd(t *testing.T) {
	p := connected(t)
	p.client.SkipSequence(1<<48 - 2) // one was used for the Finished
	p.exchange(t, "the last one")
	require.ErrorIs(t, p.client.Write([]byte("no nonce left")), dtls.ErrClosed)
	p.client.Close()
	require.Empty(t, p.client.poll())
}

// suitesOfRecords holds one cipher suite of each kind of record.
var suitesOfRecords = []piondtls.CipherSuiteID{
	piondtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	piondtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	piondtls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
}

func connectedWith(tb testing.TB, suite piondtls.CipherSuiteID) *pair {
	p := newPair(tb, dtls.Settings{CipherSuites: []piondtls.CipherSuiteID{suite}}, dtls.Settings{})
	p.connect(tb)
	return p
}

func TestNoNonceIsUsedTwice(t *testing.T) {
	for _, suite := range suitesOfRecords {
		t.Run(suite.String(), func(t *testing.T) { requireDistinctNonces(t, suite) })
	}
}

// requireDistinctNonces looks at record numbers: RFC 5288 and RFC 7905 make the nonce of them. Two records of one number are
// the same record.
func requireDistinctNonces(t *testing.T, suite piondtls.CipherSuiteID) {
	t.Helper()
	settings := dtls.Settings{FlightInterval: 5 * time.Millisecond, CipherSuites: []piondtls.CipherSuiteID{suite}}
	p := newPair(t, settings, settings)
	p.link = func(_ *side, n int, b []byte) [][]byte {
		if n%2 == 0 {
			return nil
		}
		return [][]byte{b, b}
	}
	p.connect(t)
	p.link = nil
	p.exchange(t, "data")
	gcm := suite != piondtls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
	for _, s := range []*side{p.client, p.server} {
		seen := map[uint64][]byte{}
		for _, b := range s.sent {
			for _, r := range splitRecords(b) {
				numbers := binary.BigEndian.Uint64(r[3:])
				if gcm && r[0] == 23 {
					require.Equal(t, r[3:11], r[13:21], "the explicit nonce is the number")
				}
				if numbers>>48 == 1 && seen[numbers] != nil {
					require.Equal(t, seen[numbers], r, "only a repetition of the same record may reuse its number")
				}
				seen[numbers] = r
			}
		}
	}
}

func TestPeerCloses(t *testing.T) {
	p := connected(t)
	require.NoError(t, p.client.Write([]byte("last words")))
	p.client.Close()
	p.client.Close()
	require.Equal(t, api.DTLSStateClosed, p.client.State())
	require.ErrorIs(t, p.client.Write([]byte("x")), dtls.ErrNotConnected)
	p.move()
	require.Equal(t, []string{"CONNECTING", "CONNECTED"}, p.client.names(), "Close reports no state change")
	require.Equal(t, []string{"CONNECTING", "CONNECTED", "CLOSED"}, p.server.names())
	require.Equal(t, []string{"last words"}, p.server.data)
	require.Len(t, p.server.poll(), 0)
	require.ErrorIs(t, p.server.Write([]byte("x")), dtls.ErrNotConnected)
	p.server.HandleDatagram(p.client.sent[0])
	require.Equal(t, uint64(1), p.server.Counters().InputFull, "a closed association drops everything")
	p.client.HandleDatagram(p.server.sent[0])
	require.Zero(t, p.client.Counters())
}

func TestOutputIsBounded(t *testing.T) {
	p := connected(t)
	for range dtls.MaxOutDatagrams {
		require.NoError(t, p.client.Write([]byte("x")))
	}
	require.ErrorIs(t, p.client.Write([]byte("x")), dtls.ErrQueueFull)
	require.Equal(t, uint64(1), p.client.Counters().OutputFull)
	p.client.poll()
	require.NoError(t, p.client.Write([]byte("x")))
	p.client.poll()

	const n = dtls.MaxOutData/dtls.MaxPlaintextLen + 5
	for range n {
		require.NoError(t, p.client.Write(make([]byte, dtls.MaxPlaintextLen)))
		for _, b := range p.client.poll() {
			p.server.HandleDatagram(b)
		}
	}
	p.server.poll()
	require.Len(t, p.server.data, dtls.MaxOutData/dtls.MaxPlaintextLen)
	require.Equal(t, uint64(5), p.server.Counters().OutputFull)

	for range dtls.MaxOutDatagrams {
		require.NoError(t, p.server.Write([]byte("x")))
	}
	p.server.Close() // its close_notify is dropped, which is not an error
	require.Equal(t, uint64(6), p.server.Counters().OutputFull)
}

// The memory that a flood takes during the handshake is bounded.
func TestInputIsBounded(t *testing.T) {
	s := newSide(t, dtls.Settings{Limits: dtls.NewLimits(0, 1)}) // its handshake stays queued
	require.NoError(t, s.Start(dtls.Server, sha256Of(s.cert)))
	c := newSide(t, dtls.Settings{})
	require.NoError(t, c.Start(dtls.Client, sha256Of(s.cert)))
	<-c.woken
	hello := c.poll()[0]
	for range dtls.MaxInDatagrams + 7 {
		s.HandleDatagram(hello)
	}
	require.Equal(t, uint64(7), s.Counters().InputFull)
	finished := []byte{22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 0, 200}
	finished = append(finished, make([]byte, 200)...)
	for range 2000 {
		s.HandleDatagram(finished)
	}
	require.Greater(t, s.Counters().InputFull, uint64(2000-10))
}

// Records of an authentic peer other than data are refused or ignored, or end the association.
func TestControlRecordsOfTheAuthenticPeer(t *testing.T) {
	message := func(typ byte) []byte { return append([]byte{typ}, make([]byte, 11)...) }
	for _, c := range []struct {
		name    string
		typ     byte
		data    []byte
		answers int
		state   api.DTLSState
	}{
		{"warning", 21, []byte{1, 90}, 0, api.DTLSStateConnected},
		{"fatal alert", 21, []byte{2, 80}, 0, api.DTLSStateClosed},
		{"close_notify", 21, []byte{1, 0}, 1, api.DTLSStateClosed},
		{"malformed alert", 21, []byte{2}, 0, api.DTLSStateConnected},
		{"renegotiation by ClientHello", 22, message(1), 1, api.DTLSStateConnected},
		{"renegotiation by HelloRequest", 22, message(0), 1, api.DTLSStateConnected},
		{"half a message", 22, message(0)[:11], 0, api.DTLSStateConnected},
		{"empty data", 23, nil, 0, api.DTLSStateConnected},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := connected(t)
			require.NoError(t, p.client.SendRecord(c.typ, c.data))
			p.carry(p.client, p.server)
			require.Len(t, p.server.poll(), c.answers)
			require.Equal(t, c.state, p.server.State())
			require.Empty(t, p.server.data)
			renegotiated := uint64(0)
			if c.typ == 22 && c.answers == 1 {
				renegotiated = 1
			}
			require.Equal(t, dtls.Counters{Renegotiated: renegotiated}, p.server.Counters())
		})
	}
	t.Run("only a server answers a Finished", func(t *testing.T) {
		p := connected(t)
		require.NoError(t, p.client.SendRecord(22, message(20)))
		p.carry(p.client, p.server)
		require.Equal(t, [][]byte{p.server.sent[len(p.server.sent)-1]}, p.server.poll(), "its last flight again")
		require.NoError(t, p.server.SendRecord(22, message(20)))
		p.carry(p.server, p.client)
		require.Empty(t, p.client.poll())
	})
}
