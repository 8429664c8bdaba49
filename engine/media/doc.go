// Package media holds the two ends of a router: a Producer receives the RTP streams that one peer sends, a Consumer
// sends them on to one peer. Both are pure machines: input goes in through Handle…, Write… and the application's verbs,
// each with the current time, and what follows from it (RTCP packets, notifications, requests to the other end) is in
// Output, which the caller drains after every call and then resets.
//
// A consumer may run on another shard than its producer. All that it gets from the producer is plain data: StreamInfo values
// when it attaches, StreamUpdate values afterwards, and the packets themselves, which are immutable and shared. All that it
// asks of the producer is in its output: key frame requests, by mapped SSRC.
//
// A forwarded packet passes three steps. The producer maps its payload type and SSRC to the router's own, and finds the
// header extensions to be forwarded. The consumer's selector (package layer) decides what becomes of it: forward, drop, or
// hold until a key frame. Applying that decision writes the receiver's header and a copy of the payload, once, into the
// buffer in which it is encrypted.
package media
