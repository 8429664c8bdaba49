package media_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// supported are the media codecs of mediasoup's supportedRtpCapabilities, each with a payload a receiver can begin with
// and one it cannot; nil = the codec has no such packets, or they cannot be distinguished.
var supported = []struct {
	mime          string
	clock         uint32
	first, cannot []byte
}{
	{"audio/opus", 48000, []byte{0x78, 1, 2, 3}, nil},
	{"audio/multiopus", 48000, []byte{0x78, 1, 2, 3}, nil},
	{"audio/PCMU", 8000, []byte{1, 2, 3}, nil},
	{"audio/PCMA", 8000, []byte{1, 2, 3}, nil},
	{"audio/ISAC", 32000, []byte{1, 2, 3}, nil},
	{"audio/ISAC", 16000, []byte{1, 2, 3}, nil},
	{"audio/G722", 8000, []byte{1, 2, 3}, nil},
	{"audio/iLBC", 8000, []byte{1, 2, 3}, nil},
	{"audio/SILK", 24000, []byte{1, 2, 3}, nil},
	{"audio/SILK", 16000, []byte{1, 2, 3}, nil},
	{"audio/SILK", 12000, []byte{1, 2, 3}, nil},
	{"audio/SILK", 8000, []byte{1, 2, 3}, nil},
	{"video/VP8", 90000, vp8Key, vp8Delta},
	{"video/VP9", 90000, []byte{0x0c, 1, 2, 3}, []byte{0x4c, 1, 2, 3}},
	{"video/H264", 90000, []byte{0x67, 1, 2, 3}, []byte{0x41, 1, 2, 3}},
	{"video/AV1", 90000, []byte{0x18, 1, 2, 3}, []byte{0x10, 1, 2, 3}},
	// Of releases up to 3.16.0:
	{"video/H264-SVC", 90000, []byte{0x67, 1, 2, 3}, []byte{0x41, 1, 2, 3}},
	{"video/H265", 90000, []byte{0x40, 1, 2, 3}, nil},
}

// A mixer lists the contributing sources of a packet (RFC 3550 section 5.1), which receivers display.
func TestContributingSourcesAreForwarded(t *testing.T) {
	sources := []byte{0, 0, 0, 7, 0, 0, 0, 8}
	r := videoFixture(t)
	i := ofPeer(enginetest.Packet{Seq: 10, Timestamp: 555, Payload: vp8Key}).Bytes()
	data := append(append(append([]byte{}, i[:rtp.FixedHeaderLen]...), sources...), i[rtp.FixedHeaderLen:]...)
	data[0] |= 2
	pkt := enginetest.Receive(t, r.now, data)
	defer pkt.Release()
	_, forward := r.p.HandlePacket(r.now, pkt)
	require.True(t, forward)
	r.route()
	o := r.parseOut(r.c.WritePacket(r.now, pkt, r.dst[:]))
	require.Equal(t, sources, o.CSRCs())
	require.Equal(t, vp8Key, o.Payload())
	require.Equal(t, o.Extension(outTransportCC), o.Data[o.TransportCC:o.TransportCC+rtp.TransportCCLen])
	rtp.PutTransportCC(o.Data[o.TransportCC:], 0x1234)
	require.Equal(t, []byte{0x12, 0x34}, o.Extension(outTransportCC), "at the offset that the transport gets")

	r.c.HandleNACK(r.now, enginetest.NACKFor(outSSRC, o.SequenceNumber))
	again := r.retransmissions()
	require.Len(t, again, 1)
	require.Equal(t, sources, again[0].CSRCs())
	require.True(t, again[0].DecodeRTX(mappedPT, outSSRC))
	require.Equal(t, vp8Key, again[0].Payload())
}

func TestForwardEveryCodec(t *testing.T) {
	for _, s := range supported {
		t.Run(s.mime, func(t *testing.T) {
			r := newFixture(t, produceRequest(enginetest.Codec{MimeType: s.mime, ClockRate: s.clock}), consumeRequest(enginetest.Codec{MimeType: s.mime, ClockRate: s.clock}))
			if s.cannot != nil {
				require.Equal(t, media.Media, r.none(enginetest.Packet{Seq: 9, Payload: s.cannot}))
			}
			o := r.one(enginetest.Packet{Seq: 10, Timestamp: 555, Marker: true, Payload: s.first})
			require.Equal(t, outSSRC, o.SSRC)
			require.EqualValues(t, mappedPT, o.PayloadType)
			require.Equal(t, unit.Timestamp(555), o.Timestamp)
			require.True(t, o.Marker)
			require.Equal(t, s.first, o.Payload())
			require.GreaterOrEqual(t, uint16(o.SequenceNumber), uint16(1000))
			require.LessOrEqual(t, uint16(o.SequenceNumber), uint16(1<<15))

			next := r.one(enginetest.Packet{Seq: 11, Timestamp: 556, Payload: s.first})
			require.Equal(t, 1, next.SequenceNumber.Sub(o.SequenceNumber))
			require.False(t, next.Marker)

			require.Equal(t, s.mime, r.p.RTPParameters().Codecs[0].MimeType)
			dump := r.c.Dump().Data
			require.Equal(t, s.mime, dump.RTPStreams[0].Params.MimeType)
			require.Equal(t, s.clock, dump.RTPStreams[0].Params.ClockRate)
		})
	}
}

func TestExtensionsOfVideo(t *testing.T) {
	r := videoFixture(t)
	o := r.one(enginetest.Packet{Seq: 1, Payload: vp8Key, Extensions: []rtp.Extension{
		{ID: inMID, Value: []byte("0")},
		{ID: inAudioLevel, Value: []byte{0x85}},
		{ID: inOrientation, Value: []byte{0x05}},
		{ID: inCapture, Value: []byte{1, 2, 3, 4, 5, 6, 7, 8}},
		{ID: inPlayout, Value: []byte{1, 2, 3}},
		{ID: inOffset, Value: []byte{4, 5, 6}},
		{ID: inDD, Value: []byte{7, 8, 9}},
		{ID: inPacketID, Value: []byte{0, 0, 1, 0}},
	}})
	sendTime := make([]byte, rtp.AbsSendTimeLen)
	rtp.PutAbsSendTime(sendTime, r.now)
	want := map[uint8][]byte{
		outMID:         []byte("7"),
		outAbsSendTime: sendTime,
		outTransportCC: {0, 0},
		outOrientation: {0x05},
		outCapture:     {1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0},
		outPlayout:     {1, 2, 3},
		outOffset:      {4, 5, 6},
		outDD:          {7, 8, 9},
		outPacketID:    {0, 0, 1, 0},
	}
	require.Equal(t, want, extensionsOf(&o.Packet))

	// The offset is that of the value that the transport fills in.
	r.dst[o.TransportCC] = 0xbb
	again := r.parseOut(o.Outgoing)
	require.Equal(t, []byte{0xbb, 0}, again.Extension(outTransportCC))
}

func extensionsOf(p *rtp.Packet) map[uint8][]byte {
	m := map[uint8][]byte{}
	for it := p.Extensions(); it.Next(); {
		m[it.ID()] = append([]byte{}, it.Value()...)
	}
	return m
}

func TestExtensionsOfAudio(t *testing.T) {
	r := audioFixture(t)
	o := r.one(enginetest.Packet{Seq: 1, Payload: []byte{0x78, 1}, Extensions: []rtp.Extension{
		{ID: inAudioLevel, Value: []byte{0x85}},
		{ID: inOrientation, Value: []byte{0x05}},
		{ID: inCapture, Value: []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
	}})
	require.Equal(t, map[uint8][]byte{
		outMID:        []byte("7"),
		outAudioLevel: {0x85},
		outCapture:    {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	}, extensionsOf(&o.Packet), "abs-send-time and transport-cc are for video")
	require.Zero(t, o.TransportCC)
}

func TestExtensionsOnlyAsNegotiated(t *testing.T) {
	c := consumeRequest(enginetest.VP8)
	c.RTPParameters.HeaderExtensions = nil
	r := newFixture(t, produceRequest(enginetest.VP8), c)
	o := r.one(enginetest.Packet{Seq: 1, Payload: vp8Key, Extensions: []rtp.Extension{
		{ID: inOrientation, Value: []byte{0x05}},
		{ID: inCapture, Value: make([]byte, 8)},
		{ID: inPacketID, Value: make([]byte, 4)},
	}})
	require.Equal(t, rtp.FixedHeaderLen, o.Outgoing.HeaderLen)
}

func TestCaptureTimeOfAnotherLengthIsLeftOut(t *testing.T) {
	r := audioFixture(t)
	o := r.one(enginetest.Packet{Seq: 1, Payload: []byte{0x78, 1}, Extensions: []rtp.Extension{{ID: inCapture, Value: make([]byte, 9)}}})
	require.Nil(t, o.Extension(outCapture))
}

func TestMID(t *testing.T) {
	for name, tc := range map[string]struct {
		mid  string
		want []byte
	}{
		"none":     {"", nil},
		"longest":  {"0123456789abcdef", []byte("0123456789abcdef")},
		"too long": {"0123456789abcdef0", nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := consumeRequest(enginetest.Opus)
			c.RTPParameters.MID = tc.mid
			r := newFixture(t, produceRequest(enginetest.Opus), c)
			o := r.one(enginetest.Packet{Seq: 1, Payload: []byte{0x78}})
			require.Equal(t, tc.want, o.Extension(outMID))
		})
	}
}

func TestPacketIDsAreAddedAndHonoured(t *testing.T) {
	p := produceRequest(enginetest.Opus)
	p.EnableMediasoupPacketIDHeaderExtension = true
	r := newFixture(t, p, consumeRequest(enginetest.Opus))
	id := func(o out) uint32 {
		t.Helper()
		v, ok := rtp.ParsePacketID(o.Extension(outPacketID))
		require.True(t, ok)
		return v
	}
	first := id(r.one(enginetest.Packet{Seq: 1, Payload: []byte{0x78}}))
	require.Equal(t, first+1, id(r.one(enginetest.Packet{Seq: 2, Payload: []byte{0x78}})))
	given := enginetest.Packet{Seq: 3, Payload: []byte{0x78}, Extensions: []rtp.Extension{{ID: inPacketID, Value: []byte{9, 9, 9, 9}}}}
	require.Equal(t, uint32(0x09090909), id(r.one(given)))
}

func TestHeaderGrowthIsBounded(t *testing.T) {
	c := consumeRequest(enginetest.VP8)
	c.RTPParameters.MID = "0123456789abcdef"
	for i := range c.RTPParameters.HeaderExtensions {
		c.RTPParameters.HeaderExtensions[i].ID = uint8(100 + i) // two-byte form
	}
	p := produceRequest(enginetest.VP8)
	p.EnableMediasoupPacketIDHeaderExtension = true
	r := newFixture(t, p, c)
	i := enginetest.Packet{Seq: 1, Payload: vp8Key, Extensions: []rtp.Extension{
		{ID: inOrientation, Value: []byte{0x05}},
		{ID: inCapture, Value: make([]byte, 8)},
		{ID: inPlayout, Value: make([]byte, 3)},
		{ID: inOffset, Value: make([]byte, 3)},
		{ID: inDD, Value: make([]byte, 16)},
	}}
	o := r.one(i)
	require.Positive(t, o.TransportCC)
	require.Less(t, o.Len-len(ofPeer(i).Bytes()), media.MaxHeaderGrowth-2)
}

func TestSequenceNumbersWrap(t *testing.T) {
	r := audioFixture(t)
	first := r.one(enginetest.Packet{Seq: 65530, Payload: []byte{0x78}}).SequenceNumber
	for i := 1; i < 20; i++ {
		if i == 7 { // lost before us: the gap stays
			continue
		}
		o := r.one(enginetest.Packet{Seq: unit.SeqNo(65530 + i), Timestamp: unit.Timestamp(i), Payload: []byte{0x78}})
		require.Equal(t, i, o.SequenceNumber.Sub(first))
	}
	late := r.one(enginetest.Packet{Seq: unit.SeqNo(65530 + 7 - 1<<16), Timestamp: 7, Payload: []byte{0x78}})
	require.Equal(t, 7, late.SequenceNumber.Sub(first), "reordered packets keep their place")
}

func TestDroppedPacketsLeaveNoGap(t *testing.T) {
	c := consumeRequest(enginetest.Opus)
	c.IgnoreDTX = true
	r := newFixture(t, produceRequest(enginetest.Opus), c)
	first := r.one(enginetest.Packet{Seq: 1, Payload: []byte{0x78, 1, 2}})
	r.none(enginetest.Packet{Seq: 2})                        // empty
	r.none(enginetest.Packet{Seq: 3, Payload: []byte{0x78}}) // DTX
	o := r.one(enginetest.Packet{Seq: 4, Payload: []byte{0x78, 1, 2}})
	require.Equal(t, 1, o.SequenceNumber.Sub(first.SequenceNumber))
	require.Equal(t, media.ConsumerDrops{Empty: 1, DTX: 1}, r.c.Drops())
}

func TestDTXIsForwardedByDefault(t *testing.T) {
	r := audioFixture(t)
	r.one(enginetest.Packet{Seq: 1, Payload: []byte{0x78}})
}

func TestPayloadTypeThatTheReceiverDoesNotTake(t *testing.T) {
	p := produceRequest(enginetest.Opus)
	p.RTPMapping.Codecs[0].MappedPayloadType = 99
	r := newFixture(t, p, consumeRequest(enginetest.Opus))
	require.Equal(t, media.Media, r.none(enginetest.Packet{Seq: 1, Payload: []byte{0x78}}))
	require.EqualValues(t, 1, r.c.Drops().PayloadType)
}

func TestPayloadTypeWithoutMapping(t *testing.T) {
	r := audioFixture(t)
	r.one(enginetest.Packet{Seq: 1, Payload: []byte{0x78}})
	require.Equal(t, media.Discarded, r.none(enginetest.Packet{Seq: 2, PT: 13, Payload: []byte{1}}))
	require.EqualValues(t, 1, r.p.Drops().PayloadType)
}

func TestDuplicatesAreNotSentTwice(t *testing.T) {
	r := audioFixture(t)
	r.one(enginetest.Packet{Seq: 1, Payload: []byte{0x78}})
	r.none(enginetest.Packet{Seq: 1, Payload: []byte{0x78}})
	require.EqualValues(t, 1, r.c.Drops().Sequence)
}

func TestStreamsOfNoEncodingAreDiscarded(t *testing.T) {
	r := audioFixture(t)
	require.Equal(t, media.Discarded, r.none(enginetest.Packet{Seq: 1, SSRC: 77, Payload: []byte{0x78}}))
	require.Equal(t, media.Discarded, r.none(enginetest.Packet{Seq: 1, SSRC: peerRTX, PT: peerRTXPT, Payload: []byte{0, 1, 2}}), "RTX before its stream")
	require.EqualValues(t, 2, r.p.Drops().NoStream)
	require.Empty(t, r.p.Streams())
	require.Equal(t, []uint8{0}, r.p.Scores())
}

func TestVideoOrientationChange(t *testing.T) {
	r := videoFixture(t)
	orientations := func(v byte) []api.Notification {
		r.take()
		r.receive(enginetest.Packet{Seq: r.nextSeq(), Payload: vp8Key, Extensions: []rtp.Extension{{ID: inOrientation, Value: []byte{v}}}})
		p, _ := r.take()
		var ns []api.Notification
		for _, n := range p.Notifications {
			if n.Event == api.EventProducerVideoOrientationChange {
				ns = append(ns, n)
			}
		}
		return ns
	}
	want := func(camera, flip bool, rotation uint16) []api.Notification {
		return []api.Notification{{HandlerID: "producer", Event: api.EventProducerVideoOrientationChange, Body: &api.ProducerVideoOrientationChangeNotification{Camera: camera, Flip: flip, Rotation: rotation}}}
	}
	require.Equal(t, want(false, false, 0), orientations(0), "the first time, whatever it is")
	require.Empty(t, orientations(0))
	require.Equal(t, want(true, true, 270), orientations(0x0f))
	require.Empty(t, orientations(0x0f))
	require.Equal(t, want(false, false, 90), orientations(0x01))
}
