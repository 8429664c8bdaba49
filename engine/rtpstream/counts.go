package rtpstream

// SendCounts is what sent streams did so far.
type SendCounts struct {
	NACKs         uint64 // messages of the peer
	NACKedPackets uint64 // packets that these asked for
	Retransmitted uint64 // packets sent again
	Repaired      uint64 // packets sent again for the first time
	PLIs          uint64 // of the peer
	FIRs          uint64 // of the peer
}

// AddCounts adds the stream's counts to sum.
func (s *Send) AddCounts(sum *SendCounts) {
	sum.NACKs += s.nackCount
	sum.NACKedPackets += s.nackPacketCount
	sum.Retransmitted += s.retransmitted
	sum.Repaired += s.repaired
	sum.PLIs += s.pliCount
	sum.FIRs += s.firCount
}

// RecvCounts is what received streams did so far.
type RecvCounts struct {
	NACKs         uint64 // messages to the peer
	NACKedPackets uint64 // packets that these asked for
	Retransmitted uint64 // packets that came again
	Repaired      uint64 // packets that had been missing
	PLIs          uint64 // to the peer
	FIRs          uint64 // to the peer
	Discarded     uint64 // packets that came twice or far out of order
	PayloadErrors uint64 // payloads that their format forbids
}

// AddCounts adds the stream's counts to sum.
func (r *Recv) AddCounts(sum *RecvCounts) {
	sum.NACKs += r.nackCount
	sum.NACKedPackets += r.nackPacketCount
	sum.Retransmitted += r.retransmitted
	sum.Repaired += r.repaired
	sum.PLIs += r.pliCount
	sum.FIRs += r.firCount
	sum.Discarded += r.seq.discards
	sum.PayloadErrors += r.payloadErrors
}
