package stun_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/wire/stun"
	"gazpacho/internal/fuzzseed"
)

var known = []stun.Attribute{
	stun.Username, stun.MessageIntegrity, stun.ErrorCode, stun.XORMappedAddress, stun.Priority, stun.UseCandidate, stun.Nomination,
	stun.Software, stun.Fingerprint, stun.ICEControlled, stun.ICEControlling, stun.NominationOld,
}

// FuzzParse: no input panics; what parses has the same meaning when it is built again from its parts.
func FuzzParse(tf *testing.F) {
	f := fuzzseed.New(tf, 2000)
	for _, seed := range []string{vectorRequest, vectorResponse4, vectorResponse6, vectorLongTerm} {
		f.Add(unhex(f, seed))
	}
	f.Add(request())
	f.Add(message(attribute(stun.ErrorCode, 5), attribute(0x9999, 3), fingerprint))
	key := stun.NewKey("password")
	f.Fuzz(func(t *testing.T, b []byte) {
		var m stun.Message
		if m.Parse(b) != nil {
			return
		}
		require.True(t, stun.LooksLikeSTUN(b))
		m.Verify(key)
		again := parse(t, rebuild(&m))
		requireSame(t, &m, again)
	})
}

// rebuild builds a message with m's attributes in another order, and with its own fingerprint.
func rebuild(m *stun.Message) []byte {
	w := stun.Build(nil, m.Class, m.Method, m.TransactionID)
	for _, a := range known {
		if m.Has(a) && a != stun.MessageIntegrity && a != stun.Fingerprint {
			w.Bytes(a, m.Value(a))
		}
	}
	if m.Has(stun.MessageIntegrity) {
		w.Bytes(stun.MessageIntegrity, m.Value(stun.MessageIntegrity))
	}
	if m.Has(stun.Fingerprint) {
		w.Fingerprint()
	}
	return w.Message()
}

func requireSame(t *testing.T, a, b *stun.Message) {
	require.Equal(t, a.Class, b.Class)
	require.Equal(t, a.Method, b.Method)
	for _, attribute := range known {
		require.Equal(t, a.Has(attribute), b.Has(attribute))
		if attribute != stun.Fingerprint {
			require.Equal(t, a.Value(attribute), b.Value(attribute))
		}
	}
	addrA, okA := a.XORMappedAddress()
	addrB, okB := b.XORMappedAddress()
	require.Equal(t, addrA, addrB)
	require.Equal(t, okA, okB)
	codeA, _, okA := a.ErrorCode()
	codeB, _, okB := b.ErrorCode()
	require.Equal(t, codeA, codeB)
	require.Equal(t, okA, okB)
}
