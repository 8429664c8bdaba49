package fbs_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/fbs"
	"gazpacho/internal/fuzzseed"
)

// message lays out a message by hand: 32-bit words, then the vtables' 16-bit entries.
func message(words []uint32, entries ...uint16) []byte {
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	for _, e := range entries {
		b = binary.LittleEndian.AppendUint16(b, e)
	}
	return b
}

// back returns the offset from a table at the position at to the vtable at the position vtable.
func back(at, vtable int32) uint32 { return uint32(at - vtable) }

func TestHostileLayouts(t *testing.T) {
	const logTag = 4
	for name, tt := range map[string]struct {
		payload []byte
		reason  string
	}{
		"empty":                    {nil, "no offset at 0"},
		"three bytes":              {[]byte{4, 0, 0}, "no offset at 0"},
		"root to itself":           {message([]uint32{0}), "points to 0 of 4"},
		"root beyond the end":      {message([]uint32{1}), "points to 1 of 4"},
		"root far beyond the end":  {message([]uint32{1<<32 - 1, 0}), "points to 4294967295 of 8"},
		"vtable before the start":  {message([]uint32{4, 5}), "has its vtable at -1"},
		"vtable beyond the end":    {message([]uint32{4, back(4, 8)}), "has its vtable at 8"},
		"vtable at int32's limit":  {message([]uint32{4, 1 << 31}), "has its vtable at 2147483652"},
		"vtable of two bytes":      {message([]uint32{4, back(4, 8)}, 2, 4), "has 2 bytes"},
		"vtable of five bytes":     {message([]uint32{4, back(4, 8)}, 5, 4, 0, 0), "has 5 bytes"},
		"vtable longer than all":   {message([]uint32{4, back(4, 8)}, 200, 4), "has 200 bytes"},
		"no fields":                {message([]uint32{4, back(4, 8)}, 4, 4), "data: malformed message: missing"},
		"field over the offset":    {message([]uint32{4, back(4, 8)}, 8, 4, 3, 0), "a field of 1 bytes at 3"},
		"value beyond the end":     {message([]uint32{4, back(4, 8)}, 8, 4, 0, 100), "a field of 4 bytes at 100"},
		"union type without value": {message([]uint32{4, back(4, 12), logTag}, 8, 8, 4, 0), "lacks its type or its value"},
		"value without union type": {message([]uint32{4, back(4, 12), 4}, 8, 8, 0, 4), "lacks its type or its value"},
		"union value nowhere":      {message([]uint32{4, back(4, 16), logTag, 1000}, 8, 12, 4, 8), "points to 1012 of 24"},
		"string beyond the end": {
			message([]uint32{4, back(4, 28), logTag, 4, back(16, 36), 4, 1 << 20}, 8, 12, 4, 8, 6, 8, 4, 0),
			"data: data: malformed message: a string of 1048576 bytes at 24 of 44",
		},
		"string nowhere": {
			message([]uint32{4, back(4, 28), logTag, 4, back(16, 36), 0, 0}, 8, 12, 4, 8, 6, 8, 4, 0),
			"data: data: malformed message: the offset at 20 points to 20 of 44",
		},
		"required string absent": {
			message([]uint32{4, back(4, 28), logTag, 4, back(16, 36), 4, 0}, 8, 12, 4, 8, 4, 4, 0, 0),
			"data: data: malformed message: missing",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := load(t).DecodeMessage(tt.payload)
			require.ErrorIs(t, err, fbs.ErrMalformed)
			require.ErrorContains(t, err, tt.reason)
			require.Nil(t, got)
		})
	}
}

func TestLayoutByHand(t *testing.T) {
	// The message's table at 4 with its vtable at 16, the log's at 24 with its vtable at 32, and at 38, where a verifier
	// would want it aligned and with a NUL behind it, the string.
	payload := message([]uint32{4, back(4, 16), 4, 12}, 8, 12, 4, 8)
	payload = append(payload, message([]uint32{back(24, 32), 38 - 28}, 6, 8, 4)...)
	payload = append(payload, 3, 0, 0, 0, 'a', 'b', 'c')
	got, err := load(t).DecodeMessage(payload)
	require.NoError(t, err)
	require.Equal(t, &api.Log{Data: "abc"}, got)
}

func TestUnknownUnionMember(t *testing.T) {
	payload := message([]uint32{4, back(4, 16), 9, 4}, 8, 12, 4, 8)
	_, err := load(t).DecodeMessage(payload)
	var unknown *fbs.UnknownValueError
	require.ErrorAs(t, err, &unknown)
	require.Equal(t, fbs.UnknownValueError{Type: "FBS.Message.Body", Value: 9}, *unknown)
}

func TestVectorLengthIsChecked(t *testing.T) {
	for _, body := range []api.RequestBody{
		&api.DataConsumerSetSubchannelsRequest{Subchannels: []uint16{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22}},
		&api.WorkerUpdateSettingsRequest{LogTags: make([]string, 22)},
		&api.DataConsumerSendRequest{Data: make([]byte, 22)},
	} {
		payload := encode(t, &api.Request{ID: 5, HandlerID: "h", Body: body})
		at := findVector(payload, 22) - 4
		for _, n := range []uint32{uint32(len(payload)), 1 << 31, 1<<32 - 1} {
			binary.LittleEndian.PutUint32(payload[at:], n)
			_, err := load(t).DecodeMessage(payload)
			require.ErrorIs(t, err, fbs.ErrMalformed)
			require.ErrorContains(t, err, "a vector of")
		}
	}
}

func FuzzDecodeMessage(tf *testing.F) {
	f := fuzzseed.New(tf, 2000)
	d := load(f)
	for _, body := range everyMessage(5) {
		f.Add(encode(f, body))
	}
	f.Add(sharing(f))
	f.Fuzz(func(t *testing.T, payload []byte) {
		body, err := d.DecodeMessage(payload)
		if err != nil {
			require.Nil(t, body)
			return
		}
		// What was understood can be said again, and means the same.
		again := encode(t, body)
		second, err := d.DecodeMessage(again)
		require.NoError(t, err)
		require.Equal(t, again, encode(t, second))
	})
}
