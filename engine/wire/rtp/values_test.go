package rtp_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

func TestAbsSendTime(t *testing.T) {
	for at, want := range map[unit.Time]uint32{
		0:                                      0,
		unit.Time(time.Second):                 1 << 18,
		unit.Time(500 * time.Millisecond):      1 << 17,
		unit.Time(63 * time.Second):            63 << 18,
		unit.Time(64 * time.Second):            0,
		unit.Time(64*time.Second - 1):          0, // rounds up, and wraps
		unit.Time(65 * time.Second):            1 << 18,
		unit.Time(2 * time.Microsecond):        1,
		unit.Time(1*time.Microsecond + 907):    0,
		unit.Time(1*time.Microsecond + 908):    1,
		unit.Time(-1 * time.Second):            63 << 18,
		unit.Time(1_700_000_000 * time.Second): (1_700_000_000 % 64) << 18,
		unit.Never:                             rtp.AbsSendTime(unit.Never % unit.Time(64*time.Second)),
	} {
		require.Equal(t, want, rtp.AbsSendTime(at), at)
		b := make([]byte, rtp.AbsSendTimeLen)
		rtp.PutAbsSendTime(b, at)
		require.Equal(t, []byte{byte(want >> 16), byte(want >> 8), byte(want)}, b)
		got, ok := rtp.ParseAbsSendTime(b)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
}

func TestTransportCC(t *testing.T) {
	b := make([]byte, rtp.TransportCCLen)
	rtp.PutTransportCC(b, 0xfffe)
	require.Equal(t, []byte{0xff, 0xfe}, b)
	seq, ok := rtp.ParseTransportCC(b)
	require.True(t, ok)
	require.Equal(t, unit.SeqNo(0xfffe), seq)
}

func TestPlayoutDelay(t *testing.T) {
	b := make([]byte, rtp.PlayoutDelayLen)
	rtp.PutPlayoutDelay(b, 159*time.Millisecond, rtp.MaxPlayoutDelay)
	require.Equal(t, []byte{0x00, 0xff, 0xff}, b)
	rtp.PutPlayoutDelay(b, 800*time.Millisecond, 3*time.Second)
	require.Equal(t, []byte{0x05, 0x01, 0x2c}, b)
	least, greatest, ok := rtp.ParsePlayoutDelay(b)
	require.True(t, ok)
	require.Equal(t, 800*time.Millisecond, least)
	require.Equal(t, 3*time.Second, greatest)
	_, _, ok = rtp.ParsePlayoutDelay(b[:2])
	require.False(t, ok)
}

func TestAudioLevel(t *testing.T) {
	for b, want := range map[byte]rtp.AudioLevel{
		0x00: {},
		0x7f: {Volume: 127},
		0x80: {Voice: true},
		0xd0: {Volume: 80, Voice: true},
	} {
		got, ok := rtp.ParseAudioLevel([]byte{b})
		require.True(t, ok)
		require.Equal(t, want, got)
	}
}

func TestVideoOrientation(t *testing.T) {
	for b, want := range map[byte]rtp.VideoOrientation{
		0x00: {},
		0x01: {Rotation: 90},
		0x02: {Rotation: 180},
		0x03: {Rotation: 270},
		0x04: {Flip: true},
		0x0b: {Camera: true, Rotation: 270},
	} {
		got, ok := rtp.ParseVideoOrientation([]byte{b})
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	got, ok := rtp.ParseVideoOrientation([]byte{0xf1})
	require.True(t, ok, "reserved bits are ignored")
	require.Equal(t, rtp.VideoOrientation{Rotation: 90}, got)
}

func TestAbsCaptureTime(t *testing.T) {
	short := unhex(t, "0102030405060708")
	at, ok := rtp.ParseAbsCaptureTime(short)
	require.True(t, ok)
	require.Equal(t, rtp.AbsCaptureTime{Timestamp: 0x0102030405060708}, at)
	require.Equal(t, short, rtp.AppendAbsCaptureTime(nil, at))

	long := unhex(t, "0102030405060708 fffffffffffffffe")
	at, ok = rtp.ParseAbsCaptureTime(long)
	require.True(t, ok)
	require.Equal(t, rtp.AbsCaptureTime{Timestamp: 0x0102030405060708, ClockOffset: -2, HasClockOffset: true}, at)
	require.Equal(t, long, rtp.AppendAbsCaptureTime(nil, at))
}

func TestPacketID(t *testing.T) {
	id, ok := rtp.ParsePacketID([]byte{0xde, 0xad, 0xbe, 0xef})
	require.True(t, ok)
	require.Equal(t, uint32(0xdeadbeef), id)
}

// Every value has one or two lengths; all others are refused.
func TestValueLengths(t *testing.T) {
	for name, c := range map[string]struct {
		parse func([]byte) bool
		lens  []int
	}{
		"abs-send-time":     {func(b []byte) bool { _, ok := rtp.ParseAbsSendTime(b); return ok }, []int{3}},
		"transport-cc":      {func(b []byte) bool { _, ok := rtp.ParseTransportCC(b); return ok }, []int{2}},
		"audio level":       {func(b []byte) bool { _, ok := rtp.ParseAudioLevel(b); return ok }, []int{1}},
		"video orientation": {func(b []byte) bool { _, ok := rtp.ParseVideoOrientation(b); return ok }, []int{1}},
		"abs-capture-time":  {func(b []byte) bool { _, ok := rtp.ParseAbsCaptureTime(b); return ok }, []int{8, 16}},
		"packet id":         {func(b []byte) bool { _, ok := rtp.ParsePacketID(b); return ok }, []int{4}},
	} {
		t.Run(name, func(t *testing.T) {
			for n := range 20 {
				require.Equal(t, slices.Contains(c.lens, n), c.parse(make([]byte, n)), n)
			}
		})
	}
}
