// Package channel carries a worker's requests, responses, notifications and logs between the mediasoup application and
// an [api.Worker], over two byte streams: file descriptors 3 and 4 of the process in production, pipes in tests.
//
// A stream is a sequence of frames: a length (32 bits, little-endian) and so many bytes of a FlatBuffers Message. Which
// release's schema the messages follow is the business of package fbs.
//
// Two goroutines serve a [Channel]. The control loop reads a frame, decodes it and hands it to the worker, one after the
// other. The writer sends what has been queued, as many frames per write as are waiting. Between them lies the outbox,
// whose size decides who has to wait or to lose something when the application reads slowly:
//
//   - above Options.MediaLimit, notifications which only carry media, and logs, are dropped and counted;
//   - above that and 15 MiB, messages of data channels are, too;
//   - above that and 19 MiB, the control loop stops reading requests until the application has read some answers;
//   - above that and 63 MiB, even notifications which carry state are dropped and counted; nothing is known to get there.
//
// What was lost is logged as an error, with counts and some of the objects concerned, as soon as the application reads on.
//
// Workers may answer later and in any order, and each response leaves when it exists: the Node library finds its request by
// the id. Nothing waits for a worker's answer but the notifications of the object that the answer creates. How many
// requests may be unanswered is bounded for each Router; one that cannot be reached does not stop the others.
package channel
