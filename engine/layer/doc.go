// Package layer decides what a consumer forwards of its producer's streams: which packets, and of simulcast and SVC which
// spatial and temporal layers.
//
// A Selector takes packets and what is known of the producer's streams (Stream, StreamUpdate), and answers each packet with
// a Decision: forward it, drop it, or hold it until a key frame. It touches no sequence number, buffer or byte; the consumer
// applies the decision. There is one selector for streams without layers (Simple, and Pipe for several of them), one for
// Simulcast and one for SVC.
//
// Simulcast and SVC choose their target layers by the same rules, written once in chooser. What moves the current layers to
// the target depends on the codec: at which packets a layer can begin or end without breaking the stream. There is one
// strategy per codec (VP8, VP9, AV1, H264), behind a filter.
//
// Like all machines of the engine, a selector is pure: it gets the time with each call, and asks its consumer (Consumer) for
// what it needs.
package layer
