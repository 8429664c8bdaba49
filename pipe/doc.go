// Package pipe makes relays out of requests: what two workers must be asked for so that a producer which lives on one of them
// (its home) can be consumed on the other (the far end). It derives everything from what the worker protocol carries, and knows
// nothing of a Router's capabilities, which are the application's library's.
//
// A relay of media is a pipe consumer of the producer at home, a pair of PipeTransports, and at the far end a producer with the
// id of the one at home, which maps its streams back to the SSRCs that the application's requests name. A relay of data is a
// data consumer at home whose messages come out of the worker as notifications, and a data producer at the far end that they
// are sent into.
//
// Package pipe does no I/O and keeps no state: its functions return requests, and the caller sends them.
package pipe
