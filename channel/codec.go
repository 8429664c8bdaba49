package channel

import "gazpacho/engine/api"

// Decoder reads messages of one release of mediasoup. [fbs.Dialect] is one.
type Decoder interface {
	// DecodeMessage reads one message, without its length prefix. What it returns does not refer to b. A request that cannot be
	// understood, but whose id can be read, gives a [fbs.RequestError].
	DecodeMessage(b []byte) (api.MessageBody, error)
}

// Encoder writes messages for one release of mediasoup. [fbs.Encoder] is one. It is used by one goroutine at a time.
type Encoder interface {
	// AppendMessage appends m's frame, length prefix included, to dst. On error what it returns is of no use. The error
	// wraps [fbs.ErrNotInDialect] when the release has no such message.
	AppendMessage(dst []byte, m api.MessageBody) ([]byte, error)
}
