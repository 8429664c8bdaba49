package front_test

import (
	"slices"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
)

// Chosen here.
const (
	audioInterval = 20 * time.Millisecond
	frameInterval = 40 * time.Millisecond
	reportsEvery  = time.Second
)

// camera sends the streams of a producer, with a key frame whenever it is asked for one. Audio is a camera whose pictures are all
// alike.
type camera struct {
	producer string
	streams  []*cameraStream
	loss     int // of so many packets one is lost on the way to the engine; 0: none
	count    int
}

type cameraStream struct {
	ssrc     uint32
	asked    int // for key frames
	wantsKey bool
	off      bool // not sent
	seq      unit.SeqNo
	pictures int
}

func newCamera(producer string) *camera {
	c := &camera{producer: producer}
	for i := range shapeOf(producer).encodings {
		c.streams = append(c.streams, &cameraStream{ssrc: mappedSSRC(producer, i) + 1000000, wantsKey: true, seq: 65000})
	}
	return c
}

// handle takes RTCP.
func (c *camera) handle(data []byte) {
	if !wirertcp.LooksLikeRTCP(data) {
		return
	}
	all, _ := rtcp.Unmarshal(data)
	for _, pkt := range all {
		if pli, ok := pkt.(*rtcp.PictureLossIndication); ok {
			for _, s := range c.streams {
				if s.ssrc == pli.MediaSSRC {
					s.asked++
					s.wantsKey = true
				}
			}
		}
	}
}

// keyFramesAsked returns how often each encoding was asked for one since the last call.
func (c *camera) keyFramesAsked() (asked []int) {
	for _, s := range c.streams {
		asked = append(asked, s.asked)
		s.asked = 0
	}
	return asked
}

// send returns what leaves at an instant, less what is lost.
func (c *camera) send(at time.Duration) (packets [][]byte) {
	audio := shapeOf(c.producer).codec == "audio/opus"
	switch {
	case audio && at%audioInterval == 0:
		packets = append(packets, c.packet(c.streams[0], at, true, append([]byte{0x78}, make([]byte, 79)...)))
	case !audio && at%frameInterval == 0:
		for i, s := range c.streams {
			if !s.off {
				packets = append(packets, c.picture(i, s, at)...)
			}
		}
	}
	packets = slices.DeleteFunc(packets, func([]byte) bool {
		c.count++
		return c.loss > 0 && c.count%c.loss == 0
	})
	if at%reportsEvery == 0 {
		for _, s := range c.streams {
			if !s.off {
				report, _ := (&rtcp.SenderReport{SSRC: s.ssrc, NTPTime: unit.Time(at).NTP() + 77<<32, RTPTime: c.timestamp(at)}).Marshal()
				packets = append(packets, report)
			}
		}
	}
	return packets
}

func (c *camera) timestamp(at time.Duration) uint32 {
	if shapeOf(c.producer).codec == "audio/opus" {
		return uint32(48 * at.Milliseconds())
	}
	return uint32(90 * at.Milliseconds())
}

func (c *camera) packet(s *cameraStream, at time.Duration, marker bool, payload []byte) []byte {
	h := rtp.Header{
		PayloadType: 111, SequenceNumber: s.seq, Timestamp: unit.Timestamp(c.timestamp(at)), SSRC: unit.SSRC(s.ssrc), Marker: marker,
	}
	s.seq++
	return append(rtp.AppendHeader(nil, h, nil), payload...)
}

// temporalLayers is the pattern of pictures in three temporal layers.
var temporalLayers = [4]byte{0, 2, 1, 2}

// picture is the next picture of a stream, in two packets for each of its spatial layers.
func (c *camera) picture(index int, s *cameraStream, at time.Duration) (packets [][]byte) {
	if s.wantsKey {
		s.pictures += (4 - s.pictures%4) % 4 // the pattern begins anew
	}
	temporal := temporalLayers[s.pictures%4]
	spatial, payload := 1, vp8
	if shapeOf(c.producer).codec == "video/VP9" {
		spatial, payload = 3, vp9
	}
	for layer := range spatial {
		for part := range 2 {
			b := payload(s, byte(layer), temporal, part == 0)
			packets = append(packets, c.packet(s, at, layer == spatial-1 && part == 1, append(b, make([]byte, 100*(1+index+layer))...)))
		}
	}
	s.wantsKey = false
	s.pictures++
	return packets
}

// vp8 is the head of a payload: descriptor (RFC 7741 section 4.2) and the first byte of a frame.
func vp8(s *cameraStream, _, temporal byte, first bool) []byte {
	id := s.pictures & 0x7fff
	b := []byte{0x80, 0xe0, 0x80 | byte(id>>8), byte(id), byte(s.pictures / 4), temporal << 6, 1}
	if first {
		b[0] |= 0x10
	}
	if temporal > 0 && s.pictures%4 < 3 {
		b[5] |= 0x20 // refers to the base layer only
	}
	if s.wantsKey {
		b[6] = 0
	}
	return b
}

// vp9 is a payload descriptor (RFC 9628 section 4.2) of a layer that refers to the one below in key pictures only.
func vp9(s *cameraStream, layer, temporal byte, first bool) []byte {
	id := s.pictures & 0x7fff
	b := []byte{0x80 | 0x20, 0x80 | byte(id>>8), byte(id), temporal<<5 | layer<<1, byte(s.pictures / 4)}
	if !s.wantsKey {
		b[0] |= 0x40
	} else if layer > 0 {
		b[3] |= 1
	}
	if first {
		b[0] |= 0x08
	} else {
		b[0] |= 0x04
	}
	if temporal > 0 && s.pictures%4 < 3 {
		b[3] |= 0x10
	}
	return b
}

// viewer receives a consumer's stream, reports on it, and asks once for what is missing.
type viewer struct {
	ssrc uint32

	packets  int // without repeated ones
	first    int64
	highest  int64 // sequence number, with what wrapped
	have     map[int64]bool
	missing  []int64
	report   *rtcp.SenderReport // the last one
	reported time.Duration      // when it came
	expected int64              // packets, at the last report of the viewer
	counted  int                // that had come then
	wantsKey bool
	at       time.Duration
}

func newViewer(ssrc uint32) *viewer {
	return &viewer{ssrc: ssrc, first: -1, have: map[int64]bool{}}
}

func (v *viewer) handle(data []byte) {
	if wirertcp.LooksLikeRTCP(data) {
		all, _ := rtcp.Unmarshal(data)
		for _, pkt := range all {
			if sr, ok := pkt.(*rtcp.SenderReport); ok && sr.SSRC == v.ssrc {
				v.report, v.reported = sr, v.at
			}
		}
		return
	}
	var p rtp.Packet
	if p.Parse(data) != nil || uint32(p.SSRC) != v.ssrc {
		return
	}
	seq := int64(p.SequenceNumber)
	if v.first < 0 {
		v.first, v.highest = seq, seq-1
	}
	seq += v.highest &^ 0xffff
	if seq < v.highest-0x8000 {
		seq += 0x10000
	} else if seq > v.highest+0x8000 {
		seq -= 0x10000
	}
	if v.have[seq] {
		return
	}
	v.have[seq] = true
	v.packets++
	for missing := v.highest + 1; missing < seq; missing++ {
		v.missing = append(v.missing, missing)
	}
	v.highest = max(v.highest, seq)
}

// send returns what the viewer has to tell.
func (v *viewer) send(at time.Duration) (packets [][]byte) {
	v.at = at
	if v.first < 0 {
		return nil
	}
	add := func(p rtcp.Packet) {
		b, _ := p.Marshal()
		packets = append(packets, b)
	}
	if len(v.missing) > 0 {
		var numbers []uint16
		for _, seq := range v.missing {
			numbers = append(numbers, uint16(seq))
		}
		v.missing = nil
		add(&rtcp.TransportLayerNack{MediaSSRC: v.ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(numbers)})
	}
	if v.wantsKey {
		v.wantsKey = false
		add(&rtcp.PictureLossIndication{MediaSSRC: v.ssrc})
	}
	if at%reportsEvery == 0 {
		add(&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{v.reception(at)}})
	}
	return packets
}

// reception is a report block (RFC 3550 section 6.4.1).
func (v *viewer) reception(at time.Duration) rtcp.ReceptionReport {
	expected := v.highest - v.first + 1
	due, came := expected-v.expected, int64(v.packets-v.counted)
	v.expected, v.counted = expected, v.packets
	r := rtcp.ReceptionReport{
		SSRC: v.ssrc, LastSequenceNumber: uint32(v.highest), TotalLost: uint32(max(expected-int64(v.packets), 0)),
	}
	if lost := due - came; due > 0 && lost > 0 {
		r.FractionLost = uint8(lost * 256 / due)
	}
	if v.report != nil {
		r.LastSenderReport = uint32(v.report.NTPTime >> 16)
		r.Delay = uint32((at - v.reported).Seconds() * 65536)
	}
	return r
}
