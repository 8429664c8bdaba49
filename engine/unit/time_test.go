package unit_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
)

func TestTimeArithmetic(t *testing.T) {
	at := unit.Time(1_500_000_000)
	require.Equal(t, unit.Time(1_750_000_000), at.Add(250*time.Millisecond))
	require.Equal(t, 250*time.Millisecond, at.Add(250*time.Millisecond).Sub(at))
	require.Equal(t, uint64(1500), at.Milliseconds())
	require.Equal(t, uint64(1500), (at + 999_999).Milliseconds(), "fractions of a millisecond are cut off")
	require.Equal(t, unit.Never, unit.Never.Add(time.Hour))
	require.Greater(t, unit.Never, at)
}

func TestNTP(t *testing.T) {
	const unixEpoch = uint64(2208988800)
	require.Equal(t, unixEpoch<<32, unit.Time(0).NTP())
	require.Equal(t, (unixEpoch+1)<<32|1<<31, unit.Time(1_500_000_000).NTP())
	require.Equal(t, (unixEpoch+1)<<32|1<<30, unit.Time(1_250_000_000).NTP())
	// 2036-02-07 06:28:16 UTC is when the 32 bits of seconds wrap: era 1 begins at 0 (RFC 5905 section 6).
	wrap := unit.Time(time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC).UnixNano())
	require.Equal(t, uint64(0), wrap.NTP())
	require.Equal(t, uint64(0xffffffff), (wrap-unit.Time(time.Second)).NTP()>>32)
}

func TestCompactNTP(t *testing.T) {
	require.Equal(t, uint32(0x5678_9abc), unit.CompactNTP(0x1234_5678_9abc_def0))
	// The compact form wraps every 65536 s; differences survive.
	late := unit.Time(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	for range 3 {
		before, after := unit.CompactNTP(late.NTP()), unit.CompactNTP(late.Add(2*time.Second).NTP())
		require.Equal(t, uint32(2<<16), after-before)
		late = late.Add(65535 * time.Second)
	}
}

func TestNTPDuration(t *testing.T) {
	require.Equal(t, uint32(0), unit.NTPDuration(0))
	require.Equal(t, uint32(1<<16), unit.NTPDuration(time.Second))
	require.Equal(t, uint32(1<<15), unit.NTPDuration(500*time.Millisecond))
	require.Equal(t, uint32(90061<<16&0xffffffff), unit.NTPDuration(90061*time.Second), "wraps as the field does")
}
