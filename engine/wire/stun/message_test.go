package stun_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/wire/stun"
)

var id = stun.TransactionID([]byte("transaction!"))

// message builds a Binding request.
func message(add ...func(*stun.Builder)) []byte {
	w := stun.Build(nil, stun.Request, stun.Binding, id)
	for _, f := range add {
		f(&w)
	}
	return w.Message()
}

func attribute(a stun.Attribute, n int) func(*stun.Builder) {
	return func(w *stun.Builder) { w.Bytes(a, make([]byte, n)) }
}

func fingerprint(w *stun.Builder) { w.Fingerprint() }

func integrity(w *stun.Builder) { w.Integrity(stun.NewKey("password")) }

// request is what a browser sends.
func request() []byte {
	return message(
		func(w *stun.Builder) { w.String(stun.Username, "local:remote") },
		func(w *stun.Builder) { w.Uint32(0xc057, 0x3000a) }, // libwebrtc's GOOG-NETWORK-INFO
		func(w *stun.Builder) { w.Uint64(stun.ICEControlling, 0x0102030405060708) },
		func(w *stun.Builder) { w.Flag(stun.UseCandidate) },
		func(w *stun.Builder) { w.Uint32(stun.Priority, 1853693695) },
		integrity, fingerprint)
}

func TestLooksLikeSTUN(t *testing.T) {
	b := unhex(t, vectorRequest)
	require.True(t, stun.LooksLikeSTUN(b))
	require.True(t, stun.LooksLikeSTUN(b[:stun.HeaderLen]))
	require.False(t, stun.LooksLikeSTUN(b[:stun.HeaderLen-1]))
	require.False(t, stun.LooksLikeSTUN(nil))
	for first, want := range map[byte]bool{0: true, 1: true, 2: true, 3: true, 4: false, 20: false, 64: false, 128: false, 200: false} {
		b[0] = first
		require.Equal(t, want, stun.LooksLikeSTUN(b), "first byte %d", first)
	}
	b[0] = 0
	for i := 4; i < 8; i++ {
		b[i] ^= 1
		require.False(t, stun.LooksLikeSTUN(b), "cookie byte %d", i)
		b[i] ^= 1
	}
}

func TestParseRequest(t *testing.T) {
	m := parse(t, request())
	require.Equal(t, "local", string(m.LocalUsernameFragment()))
	require.Equal(t, []byte{1, 2, 3, 4, 5, 6, 7, 8}, m.Value(stun.ICEControlling))
	require.True(t, m.Has(stun.UseCandidate))
	require.Empty(t, m.Value(stun.UseCandidate))
	require.NotNil(t, m.Value(stun.UseCandidate))
	require.Nil(t, m.Value(stun.ICEControlled))
	require.True(t, m.Verify(stun.NewKey("password")))
	require.False(t, m.Verify(stun.NewKey("Password")))
}

func TestParseErrors(t *testing.T) {
	username := attribute(stun.Username, 3)
	odd := append(message(username), 0, 0)
	odd[3] += 2
	lies := message(username)
	lies[3] += 4
	overrun := message(username)
	overrun[stun.HeaderLen+3] = 5 // its padding would reach to the end of eight bytes, where only four are
	wrong := request()
	wrong[len(wrong)-1] ^= 1
	for name, test := range map[string]struct {
		message []byte
		want    error
	}{
		"nothing":                      {nil, stun.ErrNotSTUN},
		"19 bytes":                     {message()[:19], stun.ErrNotSTUN},
		"a byte behind":                {append(message(username), 0), stun.ErrLength},
		"not a multiple of four":       {odd, stun.ErrLength},
		"length field too large":       {lies, stun.ErrLength},
		"attribute beyond the end":     {overrun, stun.ErrLength},
		"longer than a packet":         {message(attribute(0x9999, stun.MaxLen-stun.HeaderLen)), stun.ErrTooLong},
		"attribute behind fingerprint": {message(fingerprint, username), stun.ErrOrder},
		"integrity behind fingerprint": {message(fingerprint, integrity), stun.ErrOrder},
		"fingerprint twice":            {message(fingerprint, fingerprint), stun.ErrOrder},
		"wrong fingerprint":            {wrong, stun.ErrFingerprint},
	} {
		var m stun.Message
		require.ErrorIs(t, m.Parse(test.message), test.want, name)
	}
}

func TestAttributeLengths(t *testing.T) {
	for _, test := range []struct {
		attribute stun.Attribute
		valid     []int
		invalid   []int
	}{
		{stun.Username, []int{0, 1, 513}, []int{514, 600}},
		{stun.Software, []int{0, 763}, nil},
		{stun.ErrorCode, []int{4, 5, 1000}, []int{0, 3}},
		{stun.XORMappedAddress, []int{8, 20}, []int{0, 4, 7, 9, 12, 19, 21}},
		{stun.MessageIntegrity, []int{20}, []int{0, 19, 21, 32}},
		{stun.UseCandidate, []int{0}, []int{1, 4}},
		{stun.ICEControlled, []int{8}, []int{0, 4, 7, 9}},
		{stun.ICEControlling, []int{8}, []int{0, 4, 7, 9}},
		{stun.Priority, []int{4}, []int{0, 3, 5, 8}},
		{stun.Nomination, []int{4}, []int{0, 3, 5, 8}},
		{stun.NominationOld, []int{4}, []int{0, 3, 5, 8}},
		{stun.Fingerprint, nil, []int{0, 3, 5, 8}},
	} {
		var m stun.Message
		for _, n := range test.valid {
			require.NoError(t, m.Parse(message(attribute(test.attribute, n))), "%#x of %d bytes", test.attribute, n)
			require.True(t, m.Has(test.attribute))
			require.Len(t, m.Value(test.attribute), n)
		}
		for _, n := range test.invalid {
			require.ErrorIs(t, m.Parse(message(attribute(test.attribute, n))), stun.ErrAttribute, "%#x of %d bytes", test.attribute, n)
		}
	}
}

func TestUnknownAttributesAreSkipped(t *testing.T) {
	m := parse(t, message(attribute(0x7777, 5), attribute(0x7777, 0), attribute(stun.Priority, 4), attribute(0x9999, stun.MaxLen-100), fingerprint))
	require.True(t, m.Has(stun.Priority))
	require.True(t, m.Has(stun.Fingerprint))
}

func TestTypes(t *testing.T) {
	for _, class := range []stun.Class{stun.Request, stun.Indication, stun.SuccessResponse, stun.ErrorResponse} {
		for method := range stun.Method(1 << 8) { // larger ones do not have the first byte that RFC 7983 gives STUN
			w := stun.Build(nil, class, method, id)
			m := parse(t, w.Message())
			require.Equal(t, class, m.Class)
			require.Equal(t, method, m.Method)
			require.Equal(t, id, m.TransactionID)
		}
	}
}

func TestNomination(t *testing.T) {
	newer := func(w *stun.Builder) { w.Uint32(stun.Nomination, 7) }
	older := func(w *stun.Builder) { w.Uint32(stun.NominationOld, 5) }
	for _, test := range []struct {
		message []byte
		want    uint32
		ok      bool
	}{
		{message(), 0, false},
		{message(newer), 7, true},
		{message(older), 5, true},
		{message(newer, older), 7, true},
		{message(older, newer), 7, true},
		{message(attribute(stun.Nomination, 4)), 0, true},
	} {
		got, ok := parse(t, test.message).Nomination()
		require.Equal(t, test.want, got)
		require.Equal(t, test.ok, ok)
	}
}

func TestUsername(t *testing.T) {
	for _, test := range []struct {
		username, fragment, local string
		want                      bool
	}{
		{"abcd:efgh", "abcd", "abcd", true},
		{"abcd:", "abcd", "abcd", true},
		{"abcd:e:f", "abcd", "abcd", true},
		{"abcd", "abcd", "abcd", false},
		{"abcde:f", "abcd", "abcde", false},
		{"abcd:efgh", "abc", "abcd", false},
		{"abcx:efgh", "abcd", "abcx", false},
		{":efgh", "", "", false},
		{"", "abcd", "", false},
		{"", "", "", false},
	} {
		m := parse(t, message(func(w *stun.Builder) { w.String(stun.Username, test.username) }))
		require.Equal(t, test.want, m.AddressedTo(test.fragment), "%q to %q", test.username, test.fragment)
		require.Equal(t, test.local, string(m.LocalUsernameFragment()))
	}
	require.Nil(t, parse(t, message()).LocalUsernameFragment())
	require.False(t, parse(t, message()).AddressedTo("abcd"))
}

func TestXORMappedAddress(t *testing.T) {
	for given, want := range map[string]string{
		"1.2.3.4:5":              "1.2.3.4:5",
		"0.0.0.0:0":              "0.0.0.0:0",
		"255.255.255.255:65535":  "255.255.255.255:65535",
		"[2001:db8::1]:1234":     "[2001:db8::1]:1234",
		"[::]:0":                 "[::]:0",
		"[::ffff:1.2.3.4]:5":     "1.2.3.4:5", // from a dual-stack socket
		"[fe80::1%eth0]:4000":    "[fe80::1]:4000",
		"[ffff:ffff::ffff]:8080": "[ffff:ffff::ffff]:8080",
	} {
		m := parse(t, message(func(w *stun.Builder) { w.XORMappedAddress(netip.MustParseAddrPort(given)) }))
		got, ok := m.XORMappedAddress()
		require.True(t, ok)
		require.Equal(t, want, got.String())
	}
}

func TestXORMappedAddressErrors(t *testing.T) {
	for _, test := range []struct {
		family byte
		length int
	}{{0, 8}, {2, 8}, {3, 8}, {0, 20}, {1, 20}, {4, 20}} {
		value := make([]byte, test.length)
		value[1] = test.family
		m := parse(t, message(func(w *stun.Builder) { w.Bytes(stun.XORMappedAddress, value) }))
		_, ok := m.XORMappedAddress()
		require.False(t, ok, "family %d in %d bytes", test.family, test.length)
	}
	_, ok := parse(t, message()).XORMappedAddress()
	require.False(t, ok)
}

func TestErrorCode(t *testing.T) {
	for _, code := range []int{300, 400, 401, 420, 487, 500, 699} {
		m := parse(t, message(func(w *stun.Builder) { w.ErrorCode(code, "because") }))
		got, reason, ok := m.ErrorCode()
		require.True(t, ok)
		require.Equal(t, code, got)
		require.Equal(t, "because", string(reason))
	}
	_, _, ok := parse(t, message()).ErrorCode()
	require.False(t, ok)
}

func TestVerifyNeedsIntegrity(t *testing.T) {
	require.False(t, parse(t, message(fingerprint)).Verify(stun.NewKey("password")))
	require.True(t, parse(t, message(integrity)).Verify(stun.NewKey("password")), "also without FINGERPRINT")
}

// A message is built behind what the buffer holds, and does not cover it.
func TestBuildAppends(t *testing.T) {
	w := stun.Build([]byte("before"), stun.Request, stun.Binding, id)
	w.String(stun.Username, "a:b")
	integrity(&w)
	fingerprint(&w)
	rest, ok := bytes.CutPrefix(w.Message(), []byte("before"))
	require.True(t, ok)
	require.True(t, parse(t, rest).Verify(stun.NewKey("password")))
}

// A key is used for many messages.
func TestKeyIsReusable(t *testing.T) {
	key, long := stun.NewKey("password"), strings.Repeat("longer than a block of SHA-1 ", 5)
	for _, password := range []string{"password", "", long, "password"} {
		b := message(func(w *stun.Builder) { w.Integrity(stun.NewKey(password)) })
		require.Equal(t, password == "password", parse(t, b).Verify(key))
		require.True(t, parse(t, b).Verify(stun.NewKey(password)))
	}
}
