//go:build race

package sctp_test

// allocsAllowed for a message of 50 KB under the race detector, which has sync.Pool forget at random: at worst each of a
// hundred Polls allocates memory anew and lets it grow to ten packets, in twenty steps.
const allocsAllowed = 25 + 100*20

// pionStreams are fewer with the race detector: for each chunk, pion looks at all of its streams.
const pionStreams = 1024
