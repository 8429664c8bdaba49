package media_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/layer"
	"gazpacho/engine/media"
	"gazpacho/engine/wire/rtp"
)

func TestResumeWhileTheTransportIsNotConnected(t *testing.T) {
	r := videoFixture(t)
	r.one(enginetest.Packet{Seq: 1, Payload: vp8Key})
	r.c.TransportDisconnected(r.now)
	r.c.Pause(r.now)
	r.take()
	r.c.Resume(r.now)
	_, c := r.take()
	require.Empty(t, c.KeyFrameRequests)
	require.False(t, r.c.Active())
	r.c.TransportConnected(r.now)
	_, c = r.take()
	require.Len(t, c.KeyFrameRequests, 1)
}

func TestConsumerOfASilentSimulcastStreamRequestsNothing(t *testing.T) {
	c, err := newConsumer(consumeRequest(enginetest.VP8))
	require.NoError(t, err)
	defer c.Close()
	stream := media.StreamInfo{MappedSSRC: mappedSSRC, InactivityCheck: true}
	c.Attach(1, false, []uint8{0}, []media.StreamInfo{stream})
	c.TransportConnected(1)
	require.Empty(t, c.Output().KeyFrameRequests)
	stream.Score = 10
	c.HandleStreamUpdate(2, media.StreamUpdate{Kind: layer.StreamScore, Stream: stream}, []uint8{10})
	c.Pause(3)
	c.Resume(3)
	require.Len(t, c.Output().KeyFrameRequests, 1)
}

func TestHeldPacketThatComesTwice(t *testing.T) {
	r := videoFixture(t)
	r.none(enginetest.Packet{Seq: 2, Payload: vp8Delta})
	r.none(enginetest.Packet{Seq: 2, Payload: vp8Delta})
	_, outs := r.receive(enginetest.Packet{Seq: 1, Payload: vp8Key})
	require.Len(t, outs, 2)
}

func TestPacketThatWasDroppedComesAgain(t *testing.T) {
	c := consumeRequest(enginetest.Opus)
	c.IgnoreDTX = true
	r := newFixture(t, produceRequest(enginetest.Opus), c)
	r.one(enginetest.Packet{Seq: 1, Payload: []byte{0x78, 1, 2}})
	r.none(enginetest.Packet{Seq: 2, Payload: []byte{0x78}})
	r.one(enginetest.Packet{Seq: 3, Payload: []byte{0x78, 1, 2}})
	r.none(enginetest.Packet{Seq: 2, Payload: []byte{0x78, 1, 2}})
	require.EqualValues(t, 1, r.c.Drops().Sequence)
}

func TestTraceShowsTheTransportWideSequenceNumber(t *testing.T) {
	req := produceRequest(enginetest.Opus)
	req.RTPParameters.HeaderExtensions = append(req.RTPParameters.HeaderExtensions, api.RTPHeaderExtensionParameters{
		URI: api.RTPHeaderExtensionURITransportWideCcDraft01, ID: 14,
	}, api.RTPHeaderExtensionParameters{URI: api.RTPHeaderExtensionURITransportWideCcDraft01, ID: 13})
	r := newFixture(t, req, consumeRequest(enginetest.Opus))
	require.EqualValues(t, 14, r.p.ExtensionIDs().TransportCC, "the first entry counts")
	require.Equal(t, "producer", r.p.ID())
	require.Equal(t, api.MediaKindAudio, r.p.Kind())
	r.p.EnableTraceEvents([]api.ProducerTraceEventType{api.ProducerTraceEventTypeRTP})
	r.one(enginetest.Packet{Seq: 1, Payload: []byte{0x78}, Extensions: []rtp.Extension{{ID: 14, Value: []byte{1, 2}}}})
	p, _ := r.take()
	n := p.Notifications[len(p.Notifications)-1].Body.(*api.ProducerTraceNotification)
	require.EqualValues(t, 0x0102, *n.Info.(*api.ProducerRTPTraceInfo).RTPPacket.WideSequenceNumber)
}

func TestReportBeforeAnyStream(t *testing.T) {
	r := videoFixture(t)
	require.Empty(t, r.p.AppendRTCP(r.now, nil), "a reference time alone would be no compound packet")
	r.p.SetFractionLost(mappedSSRC, 9)
	require.Nil(t, r.p.StreamStats(r.now, mappedSSRC))
	_, ok := r.c.ProducerStream()
	require.False(t, ok)
}
