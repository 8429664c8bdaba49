//go:build !race

package packet_test

// allocsAllowed per packet.
const allocsAllowed = 0
