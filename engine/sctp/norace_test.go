//go:build !race

package sctp_test

// allocsAllowed for a message of 50 KB: the message at both ends, the list of what is under way as it grows. It takes 43 packets
// and half as many acknowledgements, none of which may cost an allocation.
const allocsAllowed = 25

// pionStreams is how many streams a test with pion uses.
const pionStreams = 4096
