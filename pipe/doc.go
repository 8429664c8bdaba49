// Package pipe makes relays out of requests: what two workers must be asked for so that a producer which lives on one of them
// (its home) can be consumed on the other (the far end). It derives everything from what the worker protocol carries, and knows
// nothing of a Router's capabilities, which are the application's library's.
//
// A relay of media is a pipe consumer of the producer at home, a pair of PipeTransports, and at the far end a producer with the
// id of the one at home, which maps its streams back to the SSRCs that the application's requests name. A relay of data is a
// data consumer at home whose messages come out of the worker, and a data producer at the far end that they are sent into. In
// between they travel by a link of the two nodes (package scaling/link), or as notifications through the caller.
//
// Package pipe does no I/O and keeps no state: its functions return requests, and the caller sends them.
package pipe
