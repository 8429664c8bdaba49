package ice_test

import (
	"net"
	"net/netip"
	"testing"
	"time"

	pion "github.com/pion/stun/v4"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/ice"
	"gazpacho/engine/wire/stun"
)

func (r *fixture) wantRefused(code int, m *stun.Message) {
	r.t.Helper()
	require.NotNil(r.t, m)
	require.Equal(r.t, stun.ErrorResponse, m.Class)
	got, reason, ok := m.ErrorCode()
	require.True(r.t, ok)
	require.Equal(r.t, code, got)
	require.NotEmpty(r.t, reason)
	require.Equal(r.t, code == 487, m.Has(stun.MessageIntegrity), "only an authentic request gets an authentic answer")
}

// build builds a message of any class, method and attributes.
func build(class stun.Class, method stun.Method, parts ...part) []byte {
	w := stun.Build(nil, class, method, stun.TransactionID([]byte("0123456789ab")))
	for _, p := range parts {
		p(&w)
	}
	return w.Message()
}

func username(w *stun.Builder)    { w.String(stun.Username, fragment+":remote") }
func priority(w *stun.Builder)    { w.Uint32(stun.Priority, 1) }
func integrity(w *stun.Builder)   { w.Integrity(stun.NewKey(password)) }
func fingerprint(w *stun.Builder) { w.Fingerprint() }

func badUsername(name string) part {
	return func(w *stun.Builder) { w.String(stun.Username, name) }
}

func TestRefusedRequests(t *testing.T) {
	const binding = stun.Binding
	for name, test := range map[string]struct {
		code    int
		message []byte
	}{
		"TURN Allocate":               {400, build(stun.Request, 3, username, priority, integrity, fingerprint)},
		"bare unknown method":         {400, build(stun.Request, 0x80)},
		"no attributes":               {400, build(stun.Request, binding)},
		"no FINGERPRINT":              {400, build(stun.Request, binding, username, priority, integrity)},
		"no PRIORITY":                 {400, build(stun.Request, binding, username, integrity, fingerprint)},
		"no USERNAME":                 {400, build(stun.Request, binding, priority, integrity, fingerprint)},
		"no MESSAGE-INTEGRITY":        {400, build(stun.Request, binding, username, priority, fingerprint)},
		"wrong password":              {401, request(fragment, password+"x")},
		"wrong fragment":              {401, request(fragment+"x", password)},
		"fragment too short":          {401, request(fragment[1:], password)},
		"empty fragment":              {401, request("", password)},
		"no colon":                    {401, build(stun.Request, binding, badUsername(fragment), priority, integrity, fingerprint)},
		"empty USERNAME":              {401, build(stun.Request, binding, badUsername(""), priority, integrity, fingerprint)},
		"turned around":               {401, build(stun.Request, binding, badUsername("remote:"+fragment), priority, integrity, fingerprint)},
		"wants to be controlled":      {487, request(fragment, password, controlled)},
		"controlled, wrong password":  {401, request(fragment, password+"x", controlled)},
		"controlled and nominates":    {487, request(fragment, password, controlled, useCandidate)},
		"everything wrong: no method": {400, build(stun.Request, 0x55, badUsername("a"), controlled)},
	} {
		t.Run(name, func(t *testing.T) {
			r := newFixture(t, 30*time.Second)
			m := r.sends(tuple(1), test.message)
			r.wantRefused(test.code, m)
			r.wantNothing()
			var given stun.Message
			require.NoError(t, given.Parse(test.message))
			require.Equal(t, given.TransactionID, m.TransactionID)
			require.Equal(t, given.Method, m.Method)
			require.Equal(t, api.ICEStateNew, r.State())
			require.False(t, r.IsValidTuple(tuple(1)))
			require.Equal(t, test.code == 487, m.Verify(stun.NewKey(password)))
			c := r.Counters()
			require.Equal(t, map[int]uint64{400: c.BadRequests, 401: c.Unauthorized, 487: c.RoleConflicts}[test.code], uint64(1))
			require.Equal(t, uint64(1), c.BadRequests+c.Unauthorized+c.RoleConflicts+c.Malformed+c.Accepted)
		})
	}
}

func TestMessagesWithoutAnswer(t *testing.T) {
	r := bringTo(t, ice.Completed)
	good := request(fragment, password, useCandidate)
	for n := range good {
		require.Nil(t, r.sends(tuple(2), good[:n]))
		r.wantNothing()
	}
	require.Equal(t, uint64(len(good)), r.Counters().Malformed)
	for _, class := range []stun.Class{stun.Indication, stun.SuccessResponse, stun.ErrorResponse} {
		require.Nil(t, r.sends(tuple(2), build(class, stun.Binding, username, priority, useCandidate, integrity, fingerprint)))
		r.wantNothing()
	}
	require.Equal(t, uint64(3), r.Counters().Ignored)
	require.Equal(t, uint64(1), r.Counters().Accepted)
}

func TestSuccessResponse(t *testing.T) {
	for _, remote := range []string{"192.0.2.1:5000", "[2001:db8::1]:6000"} {
		r := newFixture(t, 30*time.Second)
		from := ice.Tuple{Protocol: ice.TCP, Socket: 9, Remote: netip.MustParseAddrPort(remote)}
		m := r.sends(from, request(fragment, password))
		require.Equal(t, stun.SuccessResponse, m.Class)
		require.Equal(t, stun.Binding, m.Method)
		require.Equal(t, "transaction!", string(m.TransactionID[:]))
		require.True(t, m.Verify(stun.NewKey(password)))
		got, ok := m.XORMappedAddress()
		require.True(t, ok)
		require.Equal(t, from.Remote, got)
	}
}

// The response is built at the beginning of the caller's buffer and overwrites its contents.
func TestResponseUsesTheBuffer(t *testing.T) {
	s := ice.New(fragment, password, 0)
	dst := make([]byte, 100, 1500)
	response := s.HandleSTUN(start, tuple(1), request(fragment, password), dst)
	require.Same(t, &dst[0], &response[0])
	require.True(t, stun.LooksLikeSTUN(response))
}

// The caller may parse the message, as a WebRTC server does to find the transport.
func TestHandleMessage(t *testing.T) {
	s := ice.New(fragment, password, 0)
	var m stun.Message
	require.NoError(t, m.Parse(request(fragment, password)))
	require.Equal(t, fragment, string(m.LocalUsernameFragment()))
	require.NotNil(t, s.HandleMessage(start, tuple(1), &m, nil))
	require.Equal(t, ice.Connected, s.State())
}

// pion builds the requests and checks the answers.
func TestPionAsPeer(t *testing.T) {
	r := newFixture(t, 30*time.Second)
	good, bad := pion.NewShortTermIntegrity(password), pion.NewShortTermIntegrity("wrong")
	for _, by := range []pion.MessageIntegrity{bad, good} {
		req, err := pion.Build(pion.TransactionID, pion.BindingRequest, pion.NewUsername(fragment+":remote"),
			pion.RawAttribute{Type: pion.AttrPriority, Value: []byte{1, 2, 3, 4}},
			pion.RawAttribute{Type: pion.AttrICEControlling, Value: make([]byte, 8)},
			pion.RawAttribute{Type: pion.AttrUseCandidate}, by, pion.Fingerprint)
		require.NoError(t, err)
		answer := &pion.Message{Raw: r.HandleSTUN(r.now, tuple(1), req.Raw, nil)}
		r.drain()
		require.NoError(t, answer.Decode())
		require.NoError(t, pion.Fingerprint.Check(answer))
		require.Equal(t, req.TransactionID, answer.TransactionID)
		if r.State() != ice.Completed {
			require.Equal(t, pion.BindingError, answer.Type)
			var code pion.ErrorCodeAttribute
			require.NoError(t, code.GetFrom(answer))
			require.Equal(t, pion.CodeUnauthorized, code.Code)
			continue
		}
		require.Equal(t, pion.BindingSuccess, answer.Type)
		require.NoError(t, good.Check(answer))
		var addr pion.XORMappedAddress
		require.NoError(t, addr.GetFrom(answer))
		require.True(t, net.IP(tuple(1).Remote.Addr().AsSlice()).Equal(addr.IP))
		require.Equal(t, int(tuple(1).Remote.Port()), addr.Port)
	}
	require.Equal(t, ice.Counters{Accepted: 1, Unauthorized: 1}, r.Counters())
}
