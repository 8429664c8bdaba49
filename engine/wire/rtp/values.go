package rtp

import (
	"encoding/binary"
	"time"

	"gazpacho/engine/unit"
)

// Lengths in bytes of header extension values that have a fixed one.
const (
	AbsSendTimeLen      = 3
	TransportCCLen      = 2
	AudioLevelLen       = 1
	VideoOrientationLen = 1
	PacketIDLen         = 4
	PlayoutDelayLen     = 3

	// AbsCaptureTimeMaxLen is that of an abs-capture-time with a clock offset.
	AbsCaptureTimeMaxLen = 16
	absCaptureTimeLen    = 8
)

// absSendTimeWrap is the time after which the 24 bits of an absolute send time wrap.
const absSendTimeWrap = 64 * time.Second

// AbsSendTime returns t as the abs-send-time extension carries it: seconds with 18 fractional bits, modulo 64 s
// (http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time).
func AbsSendTime(t unit.Time) uint32 {
	in := time.Duration(t) % absSendTimeWrap
	if in < 0 {
		in += absSendTimeWrap
	}
	return uint32((uint64(in)<<18+uint64(time.Second)/2)/uint64(time.Second)) & 0xffffff
}

// ParseAbsSendTime reads an abs-send-time in units of 1/2^18 s.
func ParseAbsSendTime(value []byte) (t uint32, ok bool) {
	if len(value) != AbsSendTimeLen {
		return 0, false
	}
	return uint24(value), true
}

// PutAbsSendTime writes t into dst, which has room for AbsSendTimeLen bytes.
func PutAbsSendTime(dst []byte, t unit.Time) { putUint24(dst, AbsSendTime(t)) }

// ParseTransportCC reads a transport-wide sequence number (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 2).
func ParseTransportCC(value []byte) (seq unit.SeqNo, ok bool) {
	if len(value) != TransportCCLen {
		return 0, false
	}
	return unit.SeqNo(binary.BigEndian.Uint16(value)), true
}

// PutTransportCC writes seq into dst, which has room for TransportCCLen bytes.
func PutTransportCC(dst []byte, seq unit.SeqNo) { binary.BigEndian.PutUint16(dst, uint16(seq)) }

// Units and bounds of a playout delay: two numbers of 12 bits.
const (
	PlayoutDelayUnit = 10 * time.Millisecond
	MaxPlayoutDelay  = (1<<12 - 1) * PlayoutDelayUnit
)

// PutPlayoutDelay writes the least and the greatest delay between capture and display into dst, which has room for PlayoutDelayLen
// bytes (http://www.webrtc.org/experiments/rtp-hdrext/playout-delay). They are from 0 to MaxPlayoutDelay, and rounded down.
func PutPlayoutDelay(dst []byte, least, greatest time.Duration) {
	putUint24(dst, uint32(least/PlayoutDelayUnit)<<12|uint32(greatest/PlayoutDelayUnit))
}

// ParsePlayoutDelay reads a playout delay.
func ParsePlayoutDelay(value []byte) (least, greatest time.Duration, ok bool) {
	if len(value) != PlayoutDelayLen {
		return 0, 0, false
	}
	v := uint24(value)
	return time.Duration(v>>12) * PlayoutDelayUnit, time.Duration(v&(1<<12-1)) * PlayoutDelayUnit, true
}

// AudioLevel is the loudness of a packet's audio (RFC 6464 section 3).
type AudioLevel struct {
	// Volume is in -dBov: 0 is the loudest, 127 is silence.
	Volume uint8
	// Voice: the sender believes that the packet contains speech.
	Voice bool
}

// ParseAudioLevel reads the value of an ssrc-audio-level extension.
func ParseAudioLevel(value []byte) (l AudioLevel, ok bool) {
	if len(value) != AudioLevelLen {
		return AudioLevel{}, false
	}
	return AudioLevel{Volume: value[0] & 0x7f, Voice: value[0]&0x80 != 0}, true
}

// VideoOrientation is how a receiver turns the picture upright (3GPP TS 26.114 section 7.4.5).
type VideoOrientation struct {
	// Camera: the camera faces away from the user (back-facing).
	Camera bool
	// Flip: the picture is mirrored horizontally.
	Flip bool
	// Rotation is in degrees, counter-clockwise: 0, 90, 180 or 270.
	Rotation uint16
}

// ParseVideoOrientation reads the value of a video-orientation extension.
func ParseVideoOrientation(value []byte) (o VideoOrientation, ok bool) {
	if len(value) != VideoOrientationLen {
		return VideoOrientation{}, false
	}
	v := value[0]
	return VideoOrientation{Camera: v&0x08 != 0, Flip: v&0x04 != 0, Rotation: uint16(v&0x03) * 90}, true
}

// AbsCaptureTime is when a frame was captured (http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time).
type AbsCaptureTime struct {
	// Timestamp is on the capturer's clock in the 64-bit NTP format.
	Timestamp uint64
	// ClockOffset, in units of 1/2^32 s, is the sender's estimate of the capturer's clock minus its own, when HasClockOffset.
	ClockOffset    int64
	HasClockOffset bool
}

// ParseAbsCaptureTime reads the value of an abs-capture-time extension, with or without clock offset.
func ParseAbsCaptureTime(value []byte) (t AbsCaptureTime, ok bool) {
	switch len(value) {
	case absCaptureTimeLen:
	case AbsCaptureTimeMaxLen:
		t.ClockOffset, t.HasClockOffset = int64(binary.BigEndian.Uint64(value[absCaptureTimeLen:])), true
	default:
		return AbsCaptureTime{}, false
	}
	t.Timestamp = binary.BigEndian.Uint64(value)
	return t, true
}

// AppendAbsCaptureTime appends t as the value of an abs-capture-time extension.
func AppendAbsCaptureTime(b []byte, t AbsCaptureTime) []byte {
	b = binary.BigEndian.AppendUint64(b, t.Timestamp)
	if t.HasClockOffset {
		b = binary.BigEndian.AppendUint64(b, uint64(t.ClockOffset))
	}
	return b
}

// ParsePacketID reads mediasoup's own extension (urn:mediasoup:params:rtp-hdrext:packet-id), which numbers the packets of a
// worker.
func ParsePacketID(value []byte) (id uint32, ok bool) {
	if len(value) != PacketIDLen {
		return 0, false
	}
	return binary.BigEndian.Uint32(value), true
}

func uint24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

func putUint24(b []byte, v uint32) {
	_ = b[2]
	b[0], b[1], b[2] = byte(v>>16), byte(v>>8), byte(v)
}
