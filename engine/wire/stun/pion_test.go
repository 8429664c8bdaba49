package stun_test

import (
	"net"
	"net/netip"
	"testing"

	pion "github.com/pion/stun/v4"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/wire/stun"
)

// pion's encoder, our parser.
func TestParsePion(t *testing.T) {
	for _, ip := range []string{"192.0.2.1", "2001:db8::7"} {
		b, err := pion.Build(pion.TransactionID, pion.BindingRequest, pion.NewUsername("local:remote"), pion.NewSoftware("pion"),
			pion.RawAttribute{Type: pion.AttrPriority, Value: []byte{1, 2, 3, 4}}, pion.RawAttribute{Type: pion.AttrUseCandidate},
			&pion.XORMappedAddress{IP: net.ParseIP(ip), Port: 4711}, pion.ErrorCodeAttribute{Code: 487, Reason: []byte("conflict")},
			pion.NewShortTermIntegrity("password"), pion.Fingerprint)
		require.NoError(t, err)
		m := parse(t, b.Raw)
		require.Equal(t, stun.TransactionID(b.TransactionID), m.TransactionID)
		require.Equal(t, "local", string(m.LocalUsernameFragment()))
		require.Equal(t, "pion", string(m.Value(stun.Software)))
		require.Equal(t, []byte{1, 2, 3, 4}, m.Value(stun.Priority))
		require.True(t, m.Has(stun.UseCandidate))
		addr, ok := m.XORMappedAddress()
		require.True(t, ok)
		require.Equal(t, netip.AddrPortFrom(netip.MustParseAddr(ip), 4711), addr)
		code, reason, ok := m.ErrorCode()
		require.True(t, ok)
		require.Equal(t, 487, code)
		require.Equal(t, "conflict", string(reason))
		require.True(t, m.Verify(stun.NewKey("password")))
		require.False(t, m.Verify(stun.NewKey("passw0rd")))
	}
}

// Our encoder, pion's parser.
func TestPionParsesOurs(t *testing.T) {
	for _, ip := range []string{"192.0.2.1", "2001:db8::7"} {
		w := stun.Build(nil, stun.ErrorResponse, stun.Binding, id)
		w.String(stun.Username, "local:remote")
		w.Uint32(stun.Priority, 0x01020304)
		w.Flag(stun.UseCandidate)
		w.XORMappedAddress(netip.AddrPortFrom(netip.MustParseAddr(ip), 4711))
		w.ErrorCode(401, "who are you")
		w.Integrity(stun.NewKey("password"))
		w.Fingerprint()

		m := &pion.Message{Raw: w.Message()}
		require.NoError(t, m.Decode())
		require.Equal(t, pion.BindingError, m.Type)
		require.NoError(t, pion.Fingerprint.Check(m))
		require.NoError(t, pion.NewShortTermIntegrity("password").Check(m))
		require.ErrorIs(t, pion.NewShortTermIntegrity("passw0rd").Check(m), pion.ErrIntegrityMismatch)
		var username pion.Username
		require.NoError(t, username.GetFrom(m))
		require.Equal(t, "local:remote", username.String())
		var addr pion.XORMappedAddress
		require.NoError(t, addr.GetFrom(m))
		require.True(t, net.ParseIP(ip).Equal(addr.IP))
		require.Equal(t, 4711, addr.Port)
		var code pion.ErrorCodeAttribute
		require.NoError(t, code.GetFrom(m))
		require.Equal(t, pion.CodeUnauthorized, code.Code)
		require.Equal(t, "who are you", string(code.Reason))
		require.True(t, m.Contains(pion.AttrUseCandidate))
	}
}
