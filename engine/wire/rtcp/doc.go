// Package rtcp reads and writes compound RTCP packets (RFC 3550 section 6) with the types of pion/rtcp, and adds what that
// library does not do: it bounds the work that hostile input can cause, and tolerates single bad packets in a compound.
package rtcp
