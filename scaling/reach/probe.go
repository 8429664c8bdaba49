package reach

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"

	"gazpacho/scaling/membership"
)

// magic begins each datagram. As the first byte of one, it belongs to none of the protocols of media (RFC 7983).
var magic = []byte("\xffgazpacho")

const (
	digestLen = 16
	maxProbe  = 512
)

// appendProbe appends the datagram by which a node shows another one that it reaches it: magic, digest, name.
func appendProbe(b []byte, from, to *membership.Node) []byte {
	b = append(append(b, magic...), digest(from, to)...)
	return append(b, from.Name...)
}

// parseProbe returns the name of the sender that a datagram claims to be of, and its digest.
func parseProbe(b []byte) (name string, sum []byte, ok bool) {
	rest, ok := bytes.CutPrefix(b, magic)
	if !ok || len(b) > maxProbe || len(rest) <= digestLen {
		return "", nil, false
	}
	return string(rest[digestLen:]), rest[:digestLen], true
}

// digest is of the two processes, by their incarnations, which are random and not told on the network.
func digest(from, to *membership.Node) []byte {
	h := hmac.New(sha256.New, []byte(to.Incarnation))
	h.Write([]byte(from.Incarnation))
	return h.Sum(nil)[:digestLen]
}
