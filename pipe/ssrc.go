package pipe

// SSRCs numbers the streams of relays. No number comes twice, so that none is used with one SRTP key for two streams, which
// would use nonces twice (RFC 7714 section 8.4). The zero value is ready.
type SSRCs struct{ used uint32 }

// firstSSRC is above those that mean something to a worker: 0, and the one of probation packets.
const firstSSRC = 1 << 16

// Next returns another SSRC.
func (s *SSRCs) Next() uint32 {
	if s.used == 1<<32-1-firstSSRC {
		panic("pipe: more than four billion streams")
	}
	s.used++
	return firstSSRC + s.used - 1
}
