package media_test

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
)

// The other peer's SSRCs and sequence numbers are that far from those of the first one.
const (
	otherSSRCs   = 7000
	otherNumbers = 12345
)

// takeOver has the producer receive from another peer, whose streams are the same but for SSRCs and numbers, and the consumer ask for
// a key frame, as the owner of a relay does.
func (r *fixture) takeOver(produced *api.TransportProduceRequest, s enginetest.Stream) {
	r.t.Helper()
	s.SSRC += otherSSRCs
	s.Encodings, s.RIDs = len(s.RIDs), nil // a relay's streams are told apart by SSRCs
	request := s.Produce("producer")
	for i := range request.RTPMapping.Encodings {
		request.RTPMapping.Encodings[i].MappedSSRC = produced.RTPMapping.Encodings[i].MappedSSRC
	}
	next, err := media.NewProducer(request)
	require.NoError(r.t, err)
	require.NoError(r.t, r.p.CheckTakeOver(next))
	r.p.TakeOver(next)
	r.c.RequestKeyFrame(r.now)
	r.route()
}

// ofOther makes a packet of the first peer one of the other.
func ofOther(p enginetest.Packet) enginetest.Packet {
	p = ofPeer(p)
	p.SSRC += otherSSRCs
	p.Seq += otherNumbers
	return p
}

// forFirst takes the feedback for the other peer, in the first one's SSRCs, and returns how many key frames were asked for.
func (r *fixture) forFirst() (pkts []rtcp.Packet, asked int) {
	r.route()
	for _, pkt := range r.pOut.RTCP {
		if pli, ok := pkt.(*rtcp.PictureLossIndication); ok {
			asked++
			pkts = append(pkts, &rtcp.PictureLossIndication{MediaSSRC: pli.MediaSSRC - otherSSRCs})
		}
	}
	r.pOut.RTCP = nil
	return pkts, asked
}

// gaps returns how many sequence numbers are left out, and checks that it is one at a time and that none comes twice.
func gaps(t *testing.T, outs []arrival) (n int) {
	t.Helper()
	for i := 1; i < len(outs); i++ {
		ahead := outs[i].SequenceNumber.Sub(outs[i-1].SequenceNumber)
		require.Positive(t, ahead)
		require.LessOrEqual(t, ahead, 2)
		n += ahead - 1
	}
	return n
}

// An SVC consumer goes on in its layers after an outage and with another peer: with one number left out, and one key frame.
func TestTakeOverOfSVC(t *testing.T) {
	for i, v := range svcStreams {
		t.Run(v.codec.MimeType+v.mode, func(t *testing.T) {
			s := newSVCFixture(t, v.codec, v.mode, uint64(i))
			in := peerStream(v.codec)
			in.Mode = v.mode
			s.sendFor(3 * time.Second)
			s.take()
			for s.ms < 3200 { // lost
				s.encoder.Encode(s.at())
				s.after(33 * time.Millisecond)
				s.ms += 33
			}
			s.takeOver(in.Produce("producer"), in)
			asked := 0
			for s.ms < 6000 {
				for _, p := range s.encoder.Encode(s.at()) {
					_, outs := s.receive(ofOther(p))
					for _, o := range outs {
						s.outs = append(s.outs, arrival{o, s.ms})
					}
				}
				pkts, n := s.forFirst()
				s.encoder.HandleRTCP(pkts)
				asked += n
				s.after(33 * time.Millisecond)
				s.ms += 33
			}
			require.Equal(t, 1, gaps(t, s.outs))
			require.Equal(t, 1, asked)
			_, c := s.take()
			require.Empty(t, layersOf(c.Notifications))
			spatial, temporal := currentLayer(s.c)
			require.Equal(t, [2]int{2, 2}, [2]int{spatial, temporal})
			for i, o := range s.outs { // what comes from the key frame on can be decoded
				if p := pictureOf(o); o.ms > 3200 && p.Reference == 0 && p.Spatial == 0 && p.Index == 0 {
					s.outs = s.outs[i:]
					s.requireDecodable()
					return
				}
			}
			require.Fail(t, "no key frame")
		})
	}
}

// So does one of simulcast; the key frame is asked for of its stream alone.
func TestTakeOverOfSimulcast(t *testing.T) {
	s := newSimulcastFixture(t, 1, false)
	s.sendFor(5 * time.Second)
	s.take()
	require.Equal(t, 2, simulcastLayer(s.c))
	for s.ms < 5200 {
		s.encoder.Encode(s.at())
		s.after(33 * time.Millisecond)
		s.ms += 33
	}
	before := len(s.outs)
	s.takeOver(simulcastProduceRequest(), func() enginetest.Stream { in := simulcastStream(); in.Mode = "L1T3"; return in }())
	asked := map[unit.SSRC]int{}
	for s.ms < 8000 {
		for _, p := range s.encoder.Encode(s.at()) {
			_, outs := s.receive(ofOther(p))
			for _, o := range outs {
				s.outs = append(s.outs, arrival{o, s.ms})
			}
		}
		if s.ms%990 == 0 {
			for _, e := range s.encoder.Streams {
				report := e.Report(s.at() - 7*time.Millisecond)
				report.SSRC += otherSSRCs
				s.p.HandleSenderReport(s.now, report)
			}
		}
		pkts, _ := s.forFirst()
		s.encoder.HandleRTCP(pkts)
		for _, pkt := range pkts {
			asked[unit.SSRC(pkt.(*rtcp.PictureLossIndication).MediaSSRC)]++
		}
		s.after(33 * time.Millisecond)
		s.ms += 33
	}
	require.Equal(t, map[unit.SSRC]int{enginetest.EncodingSSRC(simulcastStream().SSRC, 2): 1}, asked)
	require.Equal(t, 1, gaps(t, s.outs[before-1:]))
	_, c := s.take()
	require.Empty(t, layersOf(c.Notifications))
	require.Equal(t, 2, simulcastLayer(s.c))
	for i := before; i < len(s.outs); i++ {
		require.True(t, s.outs[i].Timestamp.After(s.outs[before-1].Timestamp))
	}
}

func simulcastLayer(c *media.Consumer) int {
	spatial, _ := currentLayer(c)
	return spatial
}

// Retransmissions of the other peer repair its packets, under the numbers that these have then.
func TestRetransmissionsAfterATakeOver(t *testing.T) {
	r := videoFixture(t)
	last := r.one(enginetest.Packet{Seq: 10, Payload: vp8Key, Marker: true}).SequenceNumber
	r.takeOver(produceRequest(enginetest.VP8), peerStream(enginetest.VP8))
	r.take()
	require.Equal(t, last+2, r.one(ofOther(enginetest.Packet{Seq: 20, Payload: vp8Key, Marker: true})).SequenceNumber)
	require.Equal(t, last+5, r.one(ofOther(enginetest.Packet{Seq: 23, Payload: vp8Delta, Marker: true})).SequenceNumber)
	r.after(50 * time.Millisecond)
	p, _ := r.take()
	var missing []uint16
	for _, nack := range enginetest.Find[*rtcp.TransportLayerNack](p.RTCP) {
		require.EqualValues(t, peerSSRC+otherSSRCs, nack.MediaSSRC)
		for _, pair := range nack.Nacks {
			missing = append(missing, pair.PacketList()...)
		}
	}
	require.Equal(t, []uint16{21 + otherNumbers, 22 + otherNumbers}, missing)
	reports := enginetest.Find[*rtcp.ReceiverReport](r.p.AppendRTCP(r.now.Add(time.Second), nil))
	require.Len(t, reports, 1)
	require.EqualValues(t, peerSSRC+otherSSRCs, reports[0].Reports[0].SSRC)
	require.EqualValues(t, 2, reports[0].Reports[0].TotalLost, "what the first peer sent is not the other one's matter")
	require.Zero(t, reports[0].Reports[0].LastSenderReport)
}

// A peer that was made anew has the same SSRCs. Its numbers may lie just behind those of the peer before, also those of its
// retransmissions.
func TestRestart(t *testing.T) {
	r := videoFixture(t)
	rtx := func(seq unit.SeqNo, of byte) enginetest.Packet {
		return enginetest.Packet{Seq: seq, SSRC: peerRTX, PT: peerRTXPT, Payload: append([]byte{0, of}, vp8Delta...)}
	}
	r.one(enginetest.Packet{Seq: 100, Payload: vp8Key, Marker: true})
	last := r.one(enginetest.Packet{Seq: 102, Payload: vp8Delta, Marker: true}).SequenceNumber
	require.Equal(t, last-1, r.one(rtx(500, 101)).SequenceNumber)

	r.p.Restart()
	require.Equal(t, last+2, r.one(enginetest.Packet{Seq: 90, Payload: vp8Key, Marker: true}).SequenceNumber)
	require.Equal(t, last+4, r.one(enginetest.Packet{Seq: 92, Payload: vp8Delta, Marker: true}).SequenceNumber)
	require.Equal(t, last+3, r.one(rtx(490, 91)).SequenceNumber)
	require.Equal(t, last+5, r.one(enginetest.Packet{Seq: 93, Payload: vp8Delta, Marker: true}).SequenceNumber)
}
