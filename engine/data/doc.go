// Package data holds the pure machines of data channels: DataProducer, DataConsumer, the Listener that finds the data producer
// of an SCTP message, and the codec by which subchannels travel over pipes. What moves the bytes is engine/sctp or the
// application itself (direct transports); these machines decide what is forwarded, count it, and validate requests with
// mediasoup's texts (its DataProducer, DataConsumer, SctpListener and SubchannelsCodec of release 3.27.1).
//
// A data consumer may live on another shard than its producer: a Message carries all that it needs.
package data
