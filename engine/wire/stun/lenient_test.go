package stun_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/wire/stun"
)

// What RFC 8489 tells receivers to ignore does not cost the peer its check.
func TestWhatIsToBeIgnored(t *testing.T) {
	username := func(s string) func(*stun.Builder) {
		return func(w *stun.Builder) { w.String(stun.Username, s) }
	}
	const integritySHA256 stun.Attribute = 0x001c
	key := stun.NewKey("password")
	for name, b := range map[string][]byte{
		"a second username (section 14)":             message(username("a:b"), username("c:d"), integrity, fingerprint),
		"a flag twice":                               message(username("a:b"), attribute(stun.UseCandidate, 0), attribute(stun.UseCandidate, 0), integrity, fingerprint),
		"MESSAGE-INTEGRITY-SHA256 behind the other":  message(username("a:b"), integrity, attribute(integritySHA256, 32), fingerprint),
		"attributes behind integrity (section 14.5)": message(username("a:b"), integrity, attribute(stun.Priority, 4), attribute(stun.UseCandidate, 0), username("c:d"), fingerprint),
		"of a wrong length behind integrity":         message(username("a:b"), integrity, attribute(stun.Priority, 3), fingerprint),
		"integrity twice":                            message(username("a:b"), integrity, integrity, fingerprint),
		"a long SOFTWARE":                            message(username("a:b"), attribute(stun.Software, 1000), integrity, fingerprint),
	} {
		t.Run(name, func(t *testing.T) {
			m := parse(t, b)
			require.Equal(t, "a:b", string(m.Value(stun.Username)))
			require.True(t, m.Verify(key))
			require.True(t, m.Has(stun.Fingerprint))
			require.False(t, m.Has(stun.Priority), "what is not protected does not count")
			require.False(t, m.Has(stun.Software))
		})
	}
}
