// Package rtpstream holds the two ends of an RTP stream as pure machines: Recv, what a producer's peer sends to us, and
// Send, what we send to a consumer's peer. Recv tracks sequence numbers, loss and jitter, asks for lost packets (NACK)
// and key frames (PLI, FIR), builds reception reports and notices silence. Send remembers what it sent, answers NACKs,
// and builds sender reports. Both compute the score from 0 to 10 which mediasoup shows to applications.
//
// Beside them: KeyFrameRequests spaces out requests for key frames, and SeqRewriter maps sequence numbers of a stream
// from which packets are dropped. SenderClock computes when the packets of a remote sender's streams were captured.
//
// Time comes in as an argument. Recv and KeyFrameRequests have timers: call HandleTimeout when NextTimeout has come, and
// drain Output after each call. Behaviour, names and constants follow mediasoup 3.27.1; what differs says so where it is.
package rtpstream
