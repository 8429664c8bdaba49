// Package rtcp reads and writes compound RTCP packets (RFC 3550 section 6) with the types of pion/rtcp, and adds what that
// library leaves open: bounds on the work which hostile input can cause, and tolerance of single bad packets in a compound.
package rtcp
