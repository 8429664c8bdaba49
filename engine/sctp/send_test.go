package sctp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/sctp"
)

func TestRetransmissionsWithinALifetime(t *testing.T) {
	for lifetime, want := range map[uint16]uint32{
		0: 0, 1: 0, 999: 0, 1000: 1, 2999: 1, 3000: 2, 6999: 2, 7000: 3, 11999: 3, 12000: 4, 17000: 5, 65535: 14,
	} {
		require.Equal(t, want, sctp.Retransmissions(lifetime, 5*time.Second), "%d ms", lifetime)
	}
	require.EqualValues(t, 20, sctp.Retransmissions(1000, 50*time.Millisecond))
}
