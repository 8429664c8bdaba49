// Package media holds the two ends of a router: a Producer receives the RTP streams that one peer sends, a Consumer
// sends them on to one peer. Both are pure machines: input goes in through Handle…, Write… and the application's verbs,
// each with the current instant, and what follows from it (RTCP packets, notifications, requests to the other end) is in
// Output, which the caller drains after every call and then resets.
//
// A consumer may live on another shard than its producer. All it knows of the producer is plain data: StreamInfo values
// when it attaches, StreamUpdate values afterwards, and the packets themselves, which are immutable and shared. All it
// wants of the producer is in its output: key frame requests, by mapped SSRC.
//
// A forwarded packet passes three steps. The producer maps its payload type and SSRC to the router's own, and finds the
// header extensions worth passing on. A selector of the consumer decides what becomes of it: forward, drop, or hold back
// until a key frame. There is one for streams without layers (simple consumers and pipes), one for simulcast and one for
// SVC; the latter two leave to a layerFilter what depends on the codec. Applying that decision builds the receiver's
// header in front of a copy of the payload, once, in the buffer that goes to encryption.
package media
