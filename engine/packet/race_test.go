//go:build race

package packet_test

// allocsAllowed per packet under the race detector, which lets sync.Pool drop objects at random: both objects of a packet
// and the buffer's bytes.
const allocsAllowed = 3
