// Package sctp is the SCTP machine of a transport.
package sctp
