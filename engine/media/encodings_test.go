package media_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/layer"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// simulcastStream has three encodings with RIDs.
func simulcastStream() enginetest.Stream {
	s := peerStream(enginetest.VP8)
	s.RIDs = []string{"low", "mid", "high"}
	return s
}

func simulcastRequest() *api.TransportProduceRequest { return simulcastStream().Produce("producer") }

func rid(id uint8, v string) []rtp.Extension { return []rtp.Extension{{ID: id, Value: []byte(v)}} }

// producerFixture is a fixture for a producer alone.
type producerFixture struct {
	t   testing.TB
	p   *media.Producer
	now unit.Time
}

func newProducerFixture(t testing.TB, req *api.TransportProduceRequest) *producerFixture {
	t.Helper()
	p, err := media.NewProducer(req)
	require.NoError(t, err)
	return &producerFixture{t: t, p: p, now: unit.Time(time.Hour)}
}

// mapped is a packet after the producer.
type mapped struct {
	rtp.Packet
	Encoding int
}

func (r *producerFixture) receive(i enginetest.Packet) (res media.Result, forward bool, got mapped) {
	r.t.Helper()
	pkt := ofPeer(i).Receive(r.t, r.now)
	defer pkt.Release()
	res, forward = r.p.HandlePacket(r.now, pkt)
	got.Packet, got.Encoding = pkt.Packet, pkt.Encoding
	return res, forward, got
}

func TestStreamsByRID(t *testing.T) {
	r := newProducerFixture(t, simulcastRequest())
	require.Equal(t, api.RTPTypeSimulcast, r.p.Type())
	for i, id := range []string{"high", "low"} {
		res, forward, got := r.receive(enginetest.Packet{SSRC: unit.SSRC(50 + i), Seq: 1, Payload: vp8Key, Extensions: rid(inRID, id)})
		require.Equal(t, media.Media, res)
		require.True(t, forward)
		require.Equal(t, map[string]int{"low": 0, "high": 2}[id], got.Encoding)
		require.Equal(t, mappedOf(got.Encoding), got.SSRC)
	}
	infos := r.p.Streams()
	require.Len(t, infos, 2)
	require.Equal(t, []unit.SSRC{51, 50}, []unit.SSRC{infos[0].SSRC, infos[1].SSRC}, "ordered by encoding")
	require.True(t, infos[0].InactivityCheck)
	require.Equal(t, []uint8{10, 0, 10}, r.p.Scores())

	// Later packets need no RID.
	_, forward, _ := r.receive(enginetest.Packet{SSRC: 50, Seq: 2, Payload: vp8Delta})
	require.True(t, forward)

	// RTX finds its stream by the repaired RID, once.
	res, forward, got := r.receive(enginetest.Packet{SSRC: 60, PT: peerRTXPT, Seq: 1, Payload: append([]byte{0, 0}, vp8Delta...), Extensions: rid(inRRID, "high")})
	require.Equal(t, media.Retransmission, res)
	require.Equal(t, forward, got.SSRC == mappedOf(2))
	require.EqualValues(t, 60, *r.p.Dump().RTPStreams[1].Params.RTXSSRC)

	for name, i := range map[string]enginetest.Packet{
		"unknown RID":                       {SSRC: 70, Payload: vp8Key, Extensions: rid(inRID, "huge")},
		"another SSRC with a RID in use":    {SSRC: 71, Payload: vp8Key, Extensions: rid(inRID, "high")},
		"another RTX with a RID in use":     {SSRC: 72, PT: peerRTXPT, Payload: []byte{0, 1}, Extensions: rid(inRRID, "high")},
		"RTX before its stream":             {SSRC: 73, PT: peerRTXPT, Payload: []byte{0, 1}, Extensions: rid(inRRID, "mid")},
		"no RID":                            {SSRC: 74, Payload: vp8Key},
		"a payload type of neither":         {SSRC: 75, PT: 13, Payload: vp8Key, Extensions: rid(inRID, "mid")},
		"an empty RID is no RID":            {SSRC: 76, Payload: vp8Key, Extensions: rid(inRID, "")},
		"RTX payload type but no such RRID": {SSRC: 77, PT: peerRTXPT, Payload: []byte{0, 1}, Extensions: rid(inRRID, "x")},
	} {
		res, forward, _ := r.receive(i)
		require.Equal(t, media.Discarded, res, name)
		require.False(t, forward, name)
	}
	require.Len(t, r.p.Streams(), 2)
}

func TestSilentSimulcastStreamLosesItsScore(t *testing.T) {
	r := newProducerFixture(t, simulcastRequest())
	r.receive(enginetest.Packet{SSRC: 50, Seq: 1, Payload: vp8Key, Extensions: rid(inRID, "low")})
	r.p.Output().Reset()
	end := r.now.Add(3 * time.Second)
	for next := r.p.NextTimeout(); next <= end; next = r.p.NextTimeout() {
		r.now = next
		r.p.HandleTimeout(next)
	}
	require.Equal(t, []uint8{0, 0, 0}, r.p.Scores())
	require.True(t, slices.ContainsFunc(r.p.Output().Streams, func(u media.StreamUpdate) bool {
		return u.Kind == layer.StreamScore && u.Stream.Score == 0 && u.PreviousScore == 10
	}))
	require.Equal(t, []api.Notification{{HandlerID: "producer", Event: api.EventProducerScore, Body: &api.ProducerScoreNotification{
		Scores: []api.ProducerScore{{SSRC: 50, RID: "low"}},
	}}}, r.p.Output().Notifications)
}

func TestSingleStreamWithoutSSRC(t *testing.T) {
	req := produceRequest(enginetest.VP8)
	req.RTPParameters.Encodings[0], req.RTPMapping.Encodings[0].SSRC = api.RTPEncodingParameters{}, nil
	r := newProducerFixture(t, req)
	rtx := enginetest.Packet{SSRC: 91, PT: peerRTXPT, Payload: []byte{0, 1, 2}}
	res, _, _ := r.receive(rtx)
	require.Equal(t, media.Discarded, res, "RTX before its stream")
	res, forward, _ := r.receive(enginetest.Packet{SSRC: 90, Seq: 1, Payload: vp8Key})
	require.Equal(t, media.Media, res)
	require.True(t, forward)
	res, _, _ = r.receive(rtx)
	require.Equal(t, media.Retransmission, res)
	for _, i := range []enginetest.Packet{
		{SSRC: 92, Payload: vp8Key}, {SSRC: 93, PT: peerRTXPT, Payload: []byte{0, 1}}, {SSRC: 94, PT: 13},
	} {
		res, _, _ = r.receive(i)
		require.Equal(t, media.Discarded, res)
	}
	require.Nil(t, r.p.Dump().RTPMapping.Encodings[0].SSRC)
}

// An encoding announces an SSRC, but its stream came with another one and the encoding's RID.
func TestAnnouncedSSRCOfAStreamThatCameByRID(t *testing.T) {
	req := produceRequest(enginetest.VP8)
	req.RTPParameters.Encodings[0].RID = "r"
	r := newProducerFixture(t, req)
	res, _, _ := r.receive(enginetest.Packet{SSRC: 90, Payload: vp8Key, Extensions: rid(inRID, "r")})
	require.Equal(t, media.Media, res)
	res, _, _ = r.receive(enginetest.Packet{Payload: vp8Key})
	require.Equal(t, media.Discarded, res)
}

func TestFloodOfSSRCs(t *testing.T) {
	r := newProducerFixture(t, simulcastRequest())
	for i := range 10000 {
		r.receive(enginetest.Packet{SSRC: unit.SSRC(i + 1), Payload: vp8Key, Extensions: rid(inRID, []string{"low", "mid", "high", "x"}[i%4])})
	}
	require.Len(t, r.p.Streams(), 3)
	require.EqualValues(t, 9997, r.p.Drops().NoStream)
}
