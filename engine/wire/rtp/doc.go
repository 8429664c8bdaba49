// Package rtp parses and builds RTP packets (RFC 3550), their header extensions (RFC 8285) and the retransmission
// payload format (RFC 4588). It is stateless and does not allocate: a Packet is a view of the received bytes, and what is
// built is appended to the caller's buffer.
package rtp
