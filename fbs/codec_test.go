package fbs_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/fbs"
)

func TestEveryBodyRoundTrips(t *testing.T) {
	d := load(t)
	e := d.NewEncoder()
	for seed := range uint64(20) {
		for i, want := range everyMessage(seed) {
			frame, err := e.AppendMessage([]byte("before"), want)
			require.NoError(t, err)
			require.Equal(t, "before", string(frame[:6]))
			payload := frame[10:]
			require.Equal(t, len(payload), int(binary.LittleEndian.Uint32(frame[6:])))
			got, err := d.DecodeMessage(payload)
			require.NoError(t, err, "seed %d, message %d: %T", seed, i, want)
			require.Equal(t, want, got)
		}
	}
}

func TestDecodingKeepsNothingOfTheBuffer(t *testing.T) {
	d := load(t)
	for _, want := range everyMessage(1) {
		payload := encode(t, want)
		got, err := d.DecodeMessage(payload)
		require.NoError(t, err)
		for i := range payload {
			payload[i] = 0xff
		}
		require.Equal(t, want, got)
	}
}

func TestLoad(t *testing.T) {
	for _, tt := range []struct{ release, want string }{
		{"3.13.0", "3.13.0"},
		{"3.13.4", "3.13.5"},
		{"3.13.5", "3.13.5"},
		{"3.19.22", "3.19.18"},
		{"3.20.0", "3.21.0"},
		{"3.27.1-acme.2", "3.27.0"},
		{"3.23.3", "3.23.0"},  // the next younger only adds a field
		{"3.22.1", "3.23.0"},  // the next younger has other options for transports
		{"3.19.23", "3.21.0"}, // likewise
		{"3.26.0", "3.24.1"},
		{"3.27.0", "3.27.0"},
		{"3.27.1", "3.27.0"},
		{"3.27.2", "3.27.0"},
		{"3.28.0-rc.1", "3.27.0"},
		{"3.100.0", "3.27.0"},
		{"4.0.0", "3.27.0"},
	} {
		d, err := fbs.Load(tt.release)
		require.NoError(t, err)
		require.Equal(t, tt.want, d.Release())
	}
	first, _ := fbs.Load("3.27.1")
	second, _ := fbs.Load("3.27.1")
	require.Same(t, first, second)
	for _, release := range []string{"", "3", "3.27", "3.27.x", "3.27.1.1", "3.-1.0", "v3.27.1", "default", "3.12.9", "0.0.0"} {
		_, err := fbs.Load(release)
		require.Error(t, err, release)
	}
}

func TestDefaultsAreNotWritten(t *testing.T) {
	d := load(t)
	plain := len(encode(t, &api.Request{HandlerID: "h", Body: &api.RouterCreateWebRtcTransportRequest{Options: webRtcOptions()}}))
	changed := webRtcOptions()
	changed.ICEConsentTimeout = 0
	changed.EnableUDP = false
	require.Greater(t, len(encode(t, &api.Request{HandlerID: "h", Body: &api.RouterCreateWebRtcTransportRequest{Options: changed}})), plain)

	for _, options := range []*api.WebRtcTransportOptions{webRtcOptions(), changed} {
		want := &api.Request{HandlerID: "h", Body: &api.RouterCreateWebRtcTransportRequest{Options: options}}
		got, err := d.DecodeMessage(encode(t, want))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// webRtcOptions returns options that have the schema's defaults.
func webRtcOptions() *api.WebRtcTransportOptions {
	return &api.WebRtcTransportOptions{
		Base:      &api.TransportOptions{},
		Listen:    &api.ListenServer{WebRtcServerID: "server"},
		EnableUDP: true, EnableTCP: true, ICEConsentTimeout: 30,
	}
}

func TestOptionalScalarsDistinguishZeroFromAbsent(t *testing.T) {
	d := load(t)
	zero := uint8(0)
	no := false
	for _, want := range []api.MessageBody{
		&api.Request{ID: 1, HandlerID: "h", Body: &api.ConsumerSetPreferredLayersRequest{PreferredLayers: &api.ConsumerLayers{}}},
		&api.Request{ID: 1, HandlerID: "h", Body: &api.ConsumerSetPreferredLayersRequest{PreferredLayers: &api.ConsumerLayers{TemporalLayer: &zero}}},
		&api.Request{ID: 1, HandlerID: "h", Body: &api.TransportProduceDataRequest{SCTPStreamParameters: &api.SCTPStreamParameters{Ordered: &no}}},
	} {
		got, err := d.DecodeMessage(encode(t, want))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestEmptySlicesAndStringsBecomeAbsent(t *testing.T) {
	d := load(t)
	sent := &api.Request{HandlerID: "", Body: &api.WorkerUpdateSettingsRequest{LogLevel: "", LogTags: []string{}}}
	got, err := d.DecodeMessage(encode(t, sent))
	require.NoError(t, err)
	require.Equal(t, &api.Request{Body: &api.WorkerUpdateSettingsRequest{}}, got)

	// Required ones are written: decoding would complain otherwise.
	want := &api.Request{Body: &api.DataConsumerSetSubchannelsRequest{}}
	got, err = d.DecodeMessage(encode(t, want))
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestEncodingRefusesWhatItCannotExpress(t *testing.T) {
	e := load(t).NewEncoder()
	type foreign struct{ api.RequestBody }
	for name, tt := range map[string]struct {
		body   api.MessageBody
		reason string
	}{
		"no body":            {nil, "data: required, but nil"},
		"nil body":           {(*api.Log)(nil), "data: required, but nil"},
		"nil table":          {&api.Response{Body: &api.ProducerDumpResponse{}}, "data: body: rtp_parameters: required, but nil"},
		"nil union":          {&api.Response{Body: &api.ConsumerGetStatsResponse{Stats: []api.RTPStreamStats{{}}}}, "data: body: stats: [0]: data: required, but nil"},
		"method":             {&api.Request{Method: 200}, "data: method: not in this dialect: 200 as a FBS.Request.Method"},
		"enum without zero":  {&api.Notification{Body: &api.PlainTransportTupleNotification{Tuple: &api.TransportTuple{}}}, "data: body: tuple: protocol: not in this dialect: 0 as a FBS.Transport.Protocol"},
		"optional enum":      {&api.Request{Body: plainRequest(9)}, "data: body: options: srtp_crypto_suite: not in this dialect: 9 as a FBS.SrtpParameters.SrtpCryptoSuite"},
		"foreign union type": {&api.Request{Body: &foreign{}}, "data: body: not in this dialect: fbs_test.foreign as a member of FBS.Request.Body"},
	} {
		t.Run(name, func(t *testing.T) {
			dst := []byte("before")
			got, err := e.AppendMessage(dst, tt.body)
			require.EqualError(t, err, tt.reason)
			require.Equal(t, dst, got)
			// The encoder can be used again.
			_, err = e.AppendMessage(nil, &api.Log{Data: "x"})
			require.NoError(t, err)
		})
	}
	_, err := e.AppendMessage(nil, &api.Notification{Event: 99})
	require.ErrorIs(t, err, fbs.ErrNotInDialect)
}

func plainRequest(suite api.SRTPCryptoSuite) api.RequestBody {
	return &api.RouterCreatePlainTransportRequest{Options: &api.PlainTransportOptions{
		Base: &api.TransportOptions{},
		ListenInfo: &api.ListenInfo{
			Protocol: api.ProtocolUDP, PortRange: &api.PortRange{}, Flags: &api.SocketFlags{},
		},
		SRTPCryptoSuite: &suite,
	}}
}

func TestTruncationGivesAnError(t *testing.T) {
	d := load(t)
	for _, body := range everyMessage(3) {
		payload := encode(t, body)
		for n := range payload {
			// The builder aligns at the front, so that every byte at the end belongs to something.
			if got, err := d.DecodeMessage(payload[:n:n]); err == nil {
				require.Equal(t, body, got, "%T cut to %d of %d", body, n, len(payload))
			}
		}
	}
}

func TestFlippedBitsNeverPanic(t *testing.T) {
	d := load(t)
	rng := rand.New(rand.NewPCG(1, 2))
	errs := 0
	for _, body := range everyMessage(4) {
		payload := encode(t, body)
		for range 300 {
			damaged := append([]byte(nil), payload...)
			for range 1 + rng.IntN(3) {
				damaged[rng.IntN(len(damaged))] ^= 1 << rng.IntN(8)
			}
			if _, err := d.DecodeMessage(damaged); err != nil {
				errs++
			}
		}
	}
	require.Positive(t, errs)
}

func TestThinMessagesFitTheBudget(t *testing.T) {
	// The least bytes on the wire for the most in Go: a thousand tables without any content.
	want := &api.Request{ID: 1, HandlerID: "h", Body: &api.TransportConsumeRequest{
		RTPParameters:          &api.RTPParameters{RTCP: &api.RTCPParameters{ReducedSize: true}},
		ConsumableRTPEncodings: make([]api.RTPEncodingParameters, 1000),
	}}
	got, err := load(t).DecodeMessage(encode(t, want))
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// sharing returns a message whose encodings all are the same table, and whose table's rid is long.
func sharing(t testing.TB) []byte {
	payload := encode(t, &api.Request{ID: 7, HandlerID: "h", Body: &api.TransportConsumeRequest{
		RTPParameters:          &api.RTPParameters{RTCP: &api.RTCPParameters{}},
		ConsumableRTPEncodings: []api.RTPEncodingParameters{{RID: string(make([]byte, 1<<16))}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}},
	}})
	at := findVector(payload, 22)
	first := int(binary.LittleEndian.Uint32(payload[at:])) + at
	for i := range 22 {
		pos := at + 4*i
		binary.LittleEndian.PutUint32(payload[pos:], uint32(first-pos))
	}
	return payload
}

// findVector returns the position of the first element of the vector of n elements.
func findVector(payload []byte, n uint32) int {
	for at := 0; ; at += 4 {
		if binary.LittleEndian.Uint32(payload[at:]) == n {
			return at + 4
		}
	}
}

func TestSharedBytesAreBounded(t *testing.T) {
	payload := sharing(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := load(t).DecodeMessage(payload)
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, fbs.ErrMalformed)
	require.ErrorContains(t, err, "too large for its")
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(20*len(payload)))
}

func TestNestingIsBounded(t *testing.T) {
	d := load(t)
	nested := func(depth int) api.MessageBody {
		stats := api.RTPStreamStats{Data: &api.RTPStreamBaseStats{}}
		for range depth {
			base := stats
			stats = api.RTPStreamStats{Data: &api.RTPStreamSendStats{Base: &base}}
		}
		return &api.Response{ID: 1, Body: &api.ConsumerGetStatsResponse{Stats: []api.RTPStreamStats{stats}}}
	}
	_, err := d.DecodeMessage(encode(t, nested(29)))
	require.NoError(t, err)
	_, err = d.DecodeMessage(encode(t, nested(31)))
	require.ErrorIs(t, err, fbs.ErrMalformed)
}

func TestUnknownMethodCarriesTheID(t *testing.T) {
	d := load(t)
	method := byte(api.MethodRTPObserverRemoveProducer)
	payload := encode(t, &api.Request{ID: 77, Method: api.Method(method), HandlerID: "h"})
	require.Equal(t, 1, bytes.Count(payload, []byte{method}))
	payload[bytes.IndexByte(payload, method)] = 200
	_, err := d.DecodeMessage(payload)
	var refused *fbs.RequestError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, uint32(77), refused.ID)
	require.True(t, refused.UnknownMethod)
	require.EqualError(t, err, "request 77: data: method: unknown FBS.Request.Method 200")
}

func TestBrokenRequestCarriesTheID(t *testing.T) {
	d := load(t)
	_, err := d.DecodeMessage(sharing(t))
	var refused *fbs.RequestError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, uint32(7), refused.ID)
	require.False(t, refused.UnknownMethod)
}
