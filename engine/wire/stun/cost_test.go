package stun_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/wire/stun"
)

func buildResponse(dst []byte, key *stun.Key) []byte {
	w := stun.Build(dst, stun.SuccessResponse, stun.Binding, id)
	w.XORMappedAddress(netip.MustParseAddrPort("192.0.2.1:32853"))
	w.Integrity(key)
	w.Fingerprint()
	return w.Message()
}

func TestNoAllocations(t *testing.T) {
	b, key, dst := request(), stun.NewKey("password"), make([]byte, 0, 200)
	var m stun.Message
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if m.Parse(b) != nil || !m.Verify(key) {
			panic("the request is valid")
		}
	}))
	require.Zero(t, testing.AllocsPerRun(100, func() { buildResponse(dst, key) }))
}

func BenchmarkParse(b *testing.B) {
	msg := request()
	var m stun.Message
	b.ReportAllocs()
	for b.Loop() {
		_ = m.Parse(msg)
	}
}

func BenchmarkVerify(b *testing.B) {
	m, key := parse(b, request()), stun.NewKey("password")
	b.ReportAllocs()
	for b.Loop() {
		m.Verify(key)
	}
}

func BenchmarkBuildResponse(b *testing.B) {
	key, dst := stun.NewKey("password"), make([]byte, 0, 200)
	b.ReportAllocs()
	for b.Loop() {
		buildResponse(dst, key)
	}
}
