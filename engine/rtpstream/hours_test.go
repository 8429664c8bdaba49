package rtpstream_test

import (
	"testing"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/rtpstream"
	"gazpacho/engine/unit"
)

// A report has the lower 32 bits of the packets and bytes sent (RFC 3550 section 6.4.1), which a stream of 10 Mbit/s fills in an hour.
// Statistics have them all.
func TestSenderReportCountersWrap(t *testing.T) {
	s := newSender(t, videoParams())
	pkt := mediaPacket(t, start, 1, 1000, interFrame)
	defer pkt.Release()
	const each, packets = 1 << 24, 300 // bytes, as if packets were that large
	for seq := range unit.SeqNo(packets) {
		require.True(t, s.HandlePacket(s.now, pkt, rtpstream.Sent{SequenceNumber: seq, Timestamp: 1000, Length: each}))
	}
	report, ok := s.SenderReport(s.now)
	require.True(t, ok)
	require.EqualValues(t, packets*each-1<<32, report.OctetCount)
	require.EqualValues(t, packets, report.PacketCount)
	sent := s.Stats(s.now).Data.(*api.RTPStreamSendStats)
	require.EqualValues(t, packets*each, sent.ByteCount)
}

// The number of a request for a key frame has eight bits, and one that is the last one's is no new request (RFC 5104 section 4.3.1.2).
func TestFIRNumbersWrap(t *testing.T) {
	p := videoParams()
	p.UsePLI, p.UseFIR = false, true
	r := newReceiver(t, p, rtpstream.RecvOptions{})
	r.media(1)
	last := uint8(0)
	for range 300 {
		r.RequestKeyFrame()
		r.drain()
		requests := r.takeRTCP()
		require.Len(t, requests, 1)
		entries := requests[0].(*rtcp.FullIntraRequest).FIR
		require.Len(t, entries, 1)
		require.Equal(t, last+1, entries[0].SequenceNumber)
		last = entries[0].SequenceNumber
	}
	require.Equal(t, uint8(300-256), last)
}
