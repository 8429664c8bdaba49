package stun_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/wire/stun"
)

// The test vectors of RFC 5769 sections 2.1 to 2.4.
const (
	vectorPassword = "VOkJxbRl1RmTxUk/WvJxBt"

	vectorRequest = `00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004
		6e0001ff 80290008 932ff9b1 51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249
		c1b571a2 80280004 e57a3bcf`
	vectorResponse4 = `0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200008 0001a147
		e112a643 00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96`
	vectorResponse6 = `01010048 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200014 0002a147
		0113a9fa a5d3f179 bc25f4b5 bed2b9d9 00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41 80280004 c8fb0b4c`
	vectorLongTerm = `00010060 2112a442 78ad3433 c6ad72c0 29da412e 00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000
		0015001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341 0014000b 6578616d 706c652e 6f726700 00080014
		f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666`
)

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	require.NoError(t, err)
	return b
}

func parse(t testing.TB, b []byte) *stun.Message {
	m := new(stun.Message)
	require.NoError(t, m.Parse(b))
	return m
}

func TestVectorRequest(t *testing.T) {
	m := parse(t, unhex(t, vectorRequest))
	require.Equal(t, stun.Request, m.Class)
	require.Equal(t, stun.Binding, m.Method)
	require.Equal(t, stun.TransactionID(unhex(t, "b7e7a701bc34d686fa87dfae")), m.TransactionID)
	require.Equal(t, "STUN test client", string(m.Value(stun.Software)))
	require.Equal(t, "evtj:h6vY", string(m.Value(stun.Username)))
	require.Equal(t, "evtj", string(m.LocalUsernameFragment()))
	require.Equal(t, unhex(t, "6e0001ff"), m.Value(stun.Priority))
	require.Equal(t, unhex(t, "932ff9b151263b36"), m.Value(stun.ICEControlled))
	require.True(t, m.Verify(stun.NewKey(vectorPassword)))
	require.False(t, m.Verify(stun.NewKey(vectorPassword+"x")))
	require.False(t, m.Has(stun.UseCandidate))
}

func TestVectorResponses(t *testing.T) {
	for address, vector := range map[string]string{
		"192.0.2.1:32853": vectorResponse4,
		"[2001:db8:1234:5678:11:2233:4455:6677]:32853": vectorResponse6,
	} {
		m := parse(t, unhex(t, vector))
		require.Equal(t, stun.SuccessResponse, m.Class)
		require.Equal(t, "test vector", string(m.Value(stun.Software)))
		got, ok := m.XORMappedAddress()
		require.True(t, ok)
		require.Equal(t, address, got.String())
		require.True(t, m.Verify(stun.NewKey(vectorPassword)))
	}
}

// Without FINGERPRINT, and with attributes that only long-term credentials have: those are skipped.
func TestVectorLongTerm(t *testing.T) {
	m := parse(t, unhex(t, vectorLongTerm))
	require.Equal(t, "マトリックス", string(m.Value(stun.Username)))
	require.Equal(t, "マトリックス", string(m.LocalUsernameFragment()), "no colon: all of it")
	require.False(t, m.Has(stun.Fingerprint))
	require.False(t, m.Verify(stun.NewKey("TheMatrIX")), "its key is a hash of more than the password")
}

func TestVectorsCutAnywhere(t *testing.T) {
	for _, vector := range []string{vectorRequest, vectorResponse4, vectorResponse6, vectorLongTerm} {
		b := unhex(t, vector)
		for n := range b {
			var m stun.Message
			require.Error(t, m.Parse(b[:n:n]), "%d bytes", n)
		}
	}
}

// A message cut at any byte whose length field agrees: only where attributes end can it be one, and then it has fewer of them.
func TestVectorsCutConsistently(t *testing.T) {
	for _, vector := range []string{vectorRequest, vectorResponse4, vectorResponse6, vectorLongTerm} {
		b := unhex(t, vector)
		for n := stun.HeaderLen; n < len(b); n++ {
			cut := append([]byte(nil), b[:n]...)
			cut[2], cut[3] = 0, byte(n-stun.HeaderLen)
			var m stun.Message
			if m.Parse(cut) == nil {
				require.Zero(t, n%4)
				require.False(t, m.Has(stun.Fingerprint))
			}
		}
	}
}

// Each bit of the request is protected by MESSAGE-INTEGRITY or by FINGERPRINT.
func TestVectorWithAnyBitFlipped(t *testing.T) {
	b, key := unhex(t, vectorRequest), stun.NewKey(vectorPassword)
	for bit := range len(b) * 8 {
		b[bit/8] ^= 1 << (bit % 8)
		var m stun.Message
		// A length may grow so that its attribute swallows FINGERPRINT and MESSAGE-INTEGRITY: a message without them. The last eight
		// bytes may become another attribute, which is ignored there: a message without FINGERPRINT, which ICE asks for.
		inside := bit/8 < len(b)-8
		require.False(t, m.Parse(b) == nil && (m.Has(stun.Fingerprint) || inside && m.Verify(key)), "bit %d", bit)
		b[bit/8] ^= 1 << (bit % 8)
	}
	// With the fingerprint cut off, MESSAGE-INTEGRITY stands alone.
	b = b[:len(b)-8]
	b[3] -= 8
	require.True(t, parse(t, b).Verify(key))
	for bit := range len(b) * 8 {
		if bit/8 == 2 || bit/8 == 3 {
			continue // the length field is replaced, and checked by Parse
		}
		b[bit/8] ^= 1 << (bit % 8)
		var m stun.Message
		require.False(t, m.Parse(b) == nil && m.Verify(key), "bit %d", bit)
		b[bit/8] ^= 1 << (bit % 8)
	}
}
