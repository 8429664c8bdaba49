package fbs

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
)

// dialectWith returns the newest dialect with parts of its schema file replaced: pairs of old and new text.
func dialectWith(t *testing.T, replacements ...string) *Dialect {
	t.Helper()
	d, err := newDialect(textWith(t, replacements...))
	require.NoError(t, err)
	return d
}

func textWith(t *testing.T, replacements ...string) string {
	t.Helper()
	_, text := read(t, "3.27.1")
	for i := 0; i < len(replacements); i += 2 {
		require.Equal(t, 1, strings.Count(text, replacements[i]), replacements[i])
		text = strings.Replace(text, replacements[i], replacements[i+1], 1)
	}
	return text
}

// exchange encodes and decodes a message in the same dialect.
func exchange(t *testing.T, d *Dialect, body api.MessageBody) api.MessageBody {
	t.Helper()
	frame, err := d.NewEncoder().AppendMessage(nil, body)
	require.NoError(t, err)
	got, err := d.DecodeMessage(frame[4:])
	require.NoError(t, err)
	return got
}

const consumerLayers = "table FBS.Consumer.ConsumerLayers\n  0 spatial_layer uint8\n"

func preferredLayers(spatial uint8, temporal *uint8) api.MessageBody {
	return &api.Request{ID: 1, HandlerID: "h", Body: &api.ConsumerSetPreferredLayersRequest{
		PreferredLayers: &api.ConsumerLayers{SpatialLayer: spatial, TemporalLayer: temporal},
	}}
}

func TestFieldsThatTheDialectLacksAreDropped(t *testing.T) {
	two := uint8(2)
	d := dialectWith(t, consumerLayers, "table FBS.Consumer.ConsumerLayers\n")
	require.Equal(t, preferredLayers(0, &two), exchange(t, d, preferredLayers(5, &two)))
}

func TestFieldsMoveBetweenDialects(t *testing.T) {
	two := uint8(2)
	older := dialectWith(t, consumerLayers, "table FBS.Consumer.ConsumerLayers\n  7 spatial_layer uint8 = 9\n  8 gone string\n")
	require.Equal(t, preferredLayers(5, &two), exchange(t, older, preferredLayers(5, &two)))
	require.Equal(t, preferredLayers(9, nil), exchange(t, older, preferredLayers(9, nil)))

	// The default of one dialect is not that of another.
	newer := dialectWith(t)
	frame, err := older.NewEncoder().AppendMessage(nil, preferredLayers(9, nil))
	require.NoError(t, err)
	got, err := newer.DecodeMessage(frame[4:])
	require.NoError(t, err)
	require.Equal(t, preferredLayers(0, nil), got)
}

func TestEnumsAreMatchedByName(t *testing.T) {
	events := func(e ...api.ProducerTraceEventType) api.MessageBody {
		return &api.Request{ID: 1, HandlerID: "h", Body: &api.ProducerEnableTraceEventRequest{Events: e}}
	}
	older := dialectWith(t, "enum FBS.Producer.TraceEventType uint8\n  0 KEYFRAME\n  1 FIR\n", "enum FBS.Producer.TraceEventType uint8\n  9 KEYFRAME\n")
	require.Equal(t, events(api.ProducerTraceEventTypeKeyFrame, api.ProducerTraceEventTypeSR), exchange(t, older,
		events(api.ProducerTraceEventTypeKeyFrame, api.ProducerTraceEventTypeFIR, api.ProducerTraceEventTypeSR)))

	frame, err := older.NewEncoder().AppendMessage(nil, events(api.ProducerTraceEventTypeKeyFrame))
	require.NoError(t, err)
	_, err = dialectWith(t).DecodeMessage(frame[4:])
	require.EqualError(t, err, "request 1: data: body: events: [0]: unknown FBS.Producer.TraceEventType 9")
}

func TestWhatIsEssentialMustBeInTheDialect(t *testing.T) {
	noScore := dialectWith(t, "  14 PRODUCER_SCORE\n", "")
	_, err := noScore.NewEncoder().AppendMessage(nil, &api.Notification{Event: api.EventProducerScore})
	require.ErrorIs(t, err, ErrNotInDialect)

	noBody := dialectWith(t, "  13 Producer_ScoreNotification FBS.Producer.ScoreNotification\n", "")
	_, err = noBody.NewEncoder().AppendMessage(nil, &api.Notification{Body: &api.ProducerScoreNotification{}})
	require.ErrorIs(t, err, ErrNotInDialect)
}

func TestDefaultsOfAllScalars(t *testing.T) {
	d := dialectWith(t,
		"  4 packets_lost int32\n", "  4 packets_lost int32 = -5\n",
		"  17 round_trip_time float32\n", "  17 round_trip_time float32 = 1.5\n",
		"  22 rtp_packet_loss_received float64 = null\n", "  22 unknown float64 = 0.25\n",
		"table FBS.RtpParameters.Double\n  0 value float64\n", "table FBS.RtpParameters.Double\n  0 value float64 = 0.25\n")
	stats := &api.Response{ID: 1, Body: &api.ProducerGetStatsResponse{Stats: []api.RTPStreamStats{
		{Data: &api.RTPStreamBaseStats{PacketsLost: -5, RoundTripTime: 1.5}},
		{Data: &api.RTPStreamBaseStats{}},
	}}}
	require.Equal(t, stats, exchange(t, d, stats))
	parameter := &api.Request{ID: 1, HandlerID: "h", Body: &api.TransportConsumeRequest{RTPParameters: &api.RTPParameters{
		RTCP:   &api.RTCPParameters{},
		Codecs: []api.RTPCodecParameters{{Parameters: []api.Parameter{{Value: &api.ValueDouble{Value: 0.25}}, {Value: &api.ValueDouble{}}}}},
	}}}
	require.Equal(t, parameter, exchange(t, d, parameter))
}

func TestSchemasThatDoNotFitAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		replacements []string
		reason       string
	}{
		"required field unknown in Go": {
			[]string{consumerLayers, consumerLayers + "  5 more string required\n"},
			"the Go types lack FBS.Consumer.ConsumerLayers.more, which is required",
		},
		"another scalar":    {[]string{consumerLayers, consumerLayers[:len(consumerLayers)-6] + "uint16\n"}, "uint8 is not uint16"},
		"string for scalar": {[]string{consumerLayers, consumerLayers[:len(consumerLayers)-6] + "string\n"}, "uint8 is not a string"},
		"optional for not":  {[]string{consumerLayers, consumerLayers[:len(consumerLayers)-1] + " = null\n"}, "uint8 is not a pointer"},
		"not optional":      {[]string{"temporal_layer uint8 = null", "temporal_layer uint8"}, "*uint8 is not uint8"},
		"vector for scalar": {[]string{consumerLayers, consumerLayers[:len(consumerLayers)-6] + "[uint8]\n"}, "uint8 is not a slice"},
		"table for scalar":  {[]string{consumerLayers, consumerLayers[:len(consumerLayers)-6] + "FBS.Log.Log\n"}, "uint8 is not a pointer"},
		"union for scalar":  {[]string{consumerLayers, consumerLayers[:len(consumerLayers)-6] + "FBS.Request.Body\n"}, "uint8 is not a union"},
		"enum for scalar":   {[]string{consumerLayers, consumerLayers[:len(consumerLayers)-6] + "FBS.Request.Method\n"}, "uint8 is not an enum"},
		"unknown type":      {[]string{consumerLayers, consumerLayers[:len(consumerLayers)-6] + "FBS.Nothing\n"}, "uint8 is not FBS.Nothing"},
		"vector of strings": {[]string{"values [string] required", "values [FBS.Log.Log] required"}, "string is not a struct"},
		"vector of tables":  {[]string{"ssrc_table [FBS.Common.Uint32String]", "ssrc_table [string]"}, "api.Uint32String is not a string"},
		"union of no table": {[]string{"  4 Log FBS.Log.Log\n", "  4 Log FBS.Log.Gone\n"}, "api.Log is not a struct, or FBS.Log.Gone not a table"},
		"root of no table":  {[]string{"root FBS.Message.Message", "root FBS.Gone"}, "lacks its release or its root table"},
		"default not bool":  {[]string{"enable_udp bool = true", "enable_udp bool = 7"}, "parsing \"7\""},
		"default too large": {[]string{"ice_consent_timeout uint8 = 30", "ice_consent_timeout uint8 = 300"}, "value out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newDialect(textWith(t, tt.replacements...))
			require.ErrorContains(t, err, tt.reason)
		})
	}
}

func TestSchemaSyntaxErrors(t *testing.T) {
	for line, reason := range map[string]string{
		"  0 first string":             "belongs to no definition",
		"what is this":                 "unknown definition",
		"enum A":                       "unknown definition",
		"enum A uint8\n  1":            "a value and a name",
		"enum A uint8\n  256 B":        "value out of range",
		"union A\n  1 B":               "a tag, a name and a table",
		"union A\n  x B C":             "invalid syntax",
		"table A\n  1 b":               "a slot, a name and a type",
		"table A\n  -1 b string":       "no number below",
		"table A\n  40000 b string":    "no number below",
		"table A\n  1 b string funny":  "unknown attribute \"funny\"",
		"table A\n  1 b string = 1 2":  "unknown attribute \"= 1 2\"",
		"release 1.2.3\nroot B":        "lacks its release or its root",
		"root A\ntable A\n  0 b bool ": "lacks its release or its root",
	} {
		_, err := newDialect(line)
		require.ErrorContains(t, err, reason, line)
	}
}
