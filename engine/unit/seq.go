package unit

// SSRC names the source of an RTP stream (RFC 3550 section 3).
type SSRC uint32

// SeqNo is an RTP sequence number. It wraps, so it is compared through its methods only.
type SeqNo uint16

// After reports whether s is newer than o: at most half the number space ahead of it (RFC 1982 section 3.2).
func (s SeqNo) After(o SeqNo) bool {
	return s != o && uint16(s-o) < 1<<15
}

// Before reports whether s is older than o.
func (s SeqNo) Before(o SeqNo) bool { return o.After(s) }

// Sub returns the signed distance from o to s.
func (s SeqNo) Sub(o SeqNo) int { return int(int16(uint16(s - o))) }

// Timestamp is an RTP timestamp in units of the codec's clock. It wraps, so it is compared through its methods only.
type Timestamp uint32

// After reports whether t is newer than o: less than half the number space ahead of it.
func (t Timestamp) After(o Timestamp) bool {
	return t != o && uint32(t-o) < 1<<31
}

// Before reports whether t is older than o.
func (t Timestamp) Before(o Timestamp) bool { return o.After(t) }

// Sub returns the signed distance from o to t.
func (t Timestamp) Sub(o Timestamp) int { return int(int32(uint32(t - o))) }

// Bitrate is in bits per second.
type Bitrate uint64
