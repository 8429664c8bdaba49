package main

import (
	"github.com/pion/interceptor"
)

// loss is a bad network in front of a guest: it loses a share of the packets of each stream, evenly.
type loss struct {
	interceptor.NoOp
	share float64
}

// NewInterceptor is called for each connection.
func (l *loss) NewInterceptor(string) (interceptor.Interceptor, error) { return l, nil }

// BindRemoteStream is called for each stream.
func (l *loss) BindRemoteStream(_ *interceptor.StreamInfo, next interceptor.RTPReader) interceptor.RTPReader {
	packets, lost := 0.0, 0.0
	return interceptor.RTPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		for {
			n, attributes, err := next.Read(b, a)
			packets++
			if lost+1 > packets*l.share || err != nil {
				return n, attributes, err
			}
			lost++
		}
	})
}
