// Package hosts tests one application over several hosts: network namespaces with an address each, a media node on three of them,
// the worker on a fourth, and these tests, with their peers, on a fifth. `make hosts` makes the hosts and runs the tests there.
package hosts
