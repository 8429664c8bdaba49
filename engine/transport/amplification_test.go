package transport_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// Small inputs that once had, or could have, large answers, on each kind of transport. The target's ledger fails the test when what
// goes back exceeds three times what came and 1 KB a second; see enginetest.Ledger.
func TestNothingIsAmplified(t *testing.T) {
	for _, attack := range []struct {
		name string
		run  func(k *target)
	}{
		{"four packets a second that pretend a thousand losses", func(k *target) {
			for i := range unit.SeqNo(40) {
				k.rtp(enginetest.RTP(10, 250*i, enginetest.VP8DeltaFrame))
				if i%4 == 3 {
					k.pass(1100 * time.Millisecond)
				}
			}
		}},
		{"packets of which every other one is missing", func(k *target) {
			for i := range unit.SeqNo(1000) {
				k.rtp(enginetest.RTP(10, 2*i, []byte{0x10}))
				k.pass(time.Millisecond)
			}
		}},
		{"late packets, each of which has all later arrivals reported again", func(k *target) {
			number := func(n int) {
				k.rtp(enginetest.Packet{
					SSRC: 10, Seq: unit.SeqNo(n), Payload: []byte{0x10},
					Extensions: []rtp.Extension{{ID: 5, Value: []byte{byte(n >> 8), byte(n)}}},
				}.Bytes())
			}
			for i := range 300 {
				number(1000 + i)
			}
			for i := range 100 {
				number(999 - 8*i)
				k.pass(100 * time.Millisecond)
			}
		}},
		{"requests for key frames, reports and reference times", func(k *target) {
			for i := range 500 {
				k.rtcp(enginetest.MarshalRTCP(
					&rtcp.ReceiverReport{SSRC: 1}, &rtcp.PictureLossIndication{MediaSSRC: 20}, &rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: 20}}},
					&rtcp.ExtendedReport{SenderSSRC: uint32(i), Reports: []rtcp.ReportBlock{&rtcp.ReceiverReferenceTimeReportBlock{NTPTimestamp: 7}}},
				))
				k.pass(time.Millisecond)
			}
		}},
		{"data of which every other chunk is missing, and all of it again", func(k *target) {
			first := k.tsn
			for range 2 {
				for i := range uint32(500) {
					k.sendChunks(dataChunk(first + 1 + 2*i))
					k.t.Settle(k.now)
				}
			}
		}},
		{"as many chunks that are heartbeats, unknown, or ask for a reset", func(k *target) {
			for range 200 {
				k.sendChunks([]byte{4, 0, 0, 8, 0, 1, 0, 4})
				k.sendChunks([]byte{0xff, 0, 0, 4})
				k.sendChunks([]byte{130, 0, 0, 20, 0, 13, 0, 16, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1})
				k.t.Settle(k.now)
			}
		}},
		{"associations that begin again and again", func(k *target) {
			k.tag = 0
			for i := range byte(200) {
				k.sendChunks([]byte{1, 0, 0, 20, 0, 0, 1, i, 0, 1, 0, 0, 0, 9, 0, 9, 0, 0, 0, 1})
				k.t.Settle(k.now)
			}
		}},
	} {
		for _, on := range targets {
			t.Run(attack.name+", "+on.name, func(t *testing.T) {
				k := on.new(t)
				attack.run(k)
				k.finish()
			})
		}
	}
}

// dataChunk is an unordered message of one byte on the stream of the data producer (I-DATA, RFC 8260 section 2.1).
func dataChunk(tsn uint32) []byte {
	chunk := binary.BigEndian.AppendUint32([]byte{64, 7, 0, 21}, tsn)
	chunk = binary.BigEndian.AppendUint32(append(chunk, 0, 1, 0, 0), tsn) // the message's number
	return append(chunk, 0, 0, 0, 51, 'x', 0, 0, 0)
}

// What an honest peer loses is asked for, whatever the budget.
func TestHonestLossesAreAskedFor(t *testing.T) {
	k := newCall(t, enginetest.Video)
	lost := 0
	for i := range unit.SeqNo(5000) {
		k.now = k.now.Add(2 * time.Millisecond)
		if i%10 == 3 || i%500 > 300 && i%500 < 400 { // one in ten, and 200 ms of each second
			lost++
			continue
		}
		k.receive(k.in, 0, peerAddr, append(enginetest.KeyFrame(10, i), make([]byte, 1000)...))
	}
	asked := map[uint16]bool{}
	for _, nack := range enginetest.Find[*rtcp.TransportLayerNack](enginetest.RTCPOf(t, k.inSocket().Sent())) {
		for _, pair := range nack.Nacks {
			for _, seq := range pair.PacketList() {
				asked[seq] = true
			}
		}
	}
	require.Len(t, asked, lost)
	require.Zero(t, k.in.Drops().NACKsUnsent)
}
