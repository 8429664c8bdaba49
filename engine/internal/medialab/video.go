package medialab

import (
	"slices"
	"time"

	"github.com/pion/rtcp"

	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// From libwebrtc (modules/video_coding/nack_requester.cc, video/video_receive_stream2.cc):
const (
	nackInterval   = 20 * time.Millisecond
	maxNACKRetries = 10
	maxNACKs       = 1000
	maxPacketAge   = 10000
	// assumedRTT is a browser's round-trip time while it does not send, since nothing tells it.
	assumedRTT      = 100 * time.Millisecond
	waitForFrame    = 3 * time.Second
	waitForKeyFrame = 200 * time.Millisecond
)

// missing is a packet that was asked for, or is to be.
type missing struct {
	number  int64
	askedAt unit.Time
	tries   int
}

// unitOf is what is shown at once: the frames of one picture.
type temporalUnit struct {
	captured time.Duration // by the timestamp
	frames   []*frame
	last     int64 // the number of its last packet, -1 while that is missing
	newest   int64
	repaired bool
	counted  bool // as complete
}

// frame is one spatial layer of a picture.
type frame struct {
	picture
	got  []bool
	left int
}

type frameID struct {
	spatial uint8
	number  uint32
}

// videoReceiver is a browser's receiving end of one video stream.
type videoReceiver struct {
	ssrc, rtx unit.SSRC
	started   bool
	newest    int64
	reordered int64 // by how many packets some were overtaken of late
	missing   []missing
	nacksAt   unit.Time
	units     []*temporalUnit // not shown yet, oldest first
	stamp     unit.Timestamp
	unwrapped time.Duration
	shownUpTo time.Duration
	isShown   bool
	decoded   map[frameID]bool
	playout
	wokenAt   unit.Time // when the next frame is due
	waitsFrom unit.Time // the last frame, or request for a key frame
	needsKey  bool
	lastSR    uint32
	lastSRAt  unit.Time
	packets   int
	first     int64
	reported  struct{ expected, received int }

	// What was seen.
	shownAs   []shownFrame
	plis      int
	nacks     int // packets asked for
	discarded int // frames that came too late or without what they need
}

type shownFrame struct {
	at       unit.Time
	spatial  uint8
	temporal uint8
}

func newVideoReceiver(ssrc unit.SSRC) *videoReceiver {
	return &videoReceiver{ssrc: ssrc, rtx: enginetest.RTXSSRC(ssrc), decoded: map[frameID]bool{}, wokenAt: unit.Never, nacksAt: unit.Never, needsKey: true}
}

// packet takes a packet of the stream, or of its retransmissions, and returns what to send back.
func (v *videoReceiver) packet(now unit.Time, pkt *rtp.Packet) (out []rtcp.Packet) {
	repaired := pkt.SSRC == v.rtx
	if repaired && !pkt.DecodeRTX(enginetest.PayloadType, v.ssrc) {
		return nil
	}
	p, ok := parsePicture(pkt.Payload())
	if !ok {
		return nil
	}
	if !v.started {
		v.started, v.newest, v.first = true, int64(pkt.SequenceNumber)-1, int64(pkt.SequenceNumber)
		v.stamp, v.unwrapped, v.waitsFrom = pkt.Timestamp, time.Duration(now), now
	}
	if least, _, ok := rtp.ParsePlayoutDelay(pkt.Extension(playoutDelayID)); ok {
		v.playout.least = least
	}
	number := v.newest + int64(pkt.SequenceNumber.Sub(unit.SeqNo(v.newest)))
	v.packets++
	out = v.follow(now, number, repaired)
	captured := v.unwrapped + time.Duration(pkt.Timestamp.Sub(v.stamp))*time.Second/90000
	if pkt.Timestamp.After(v.stamp) {
		v.stamp, v.unwrapped = pkt.Timestamp, captured
	}
	v.insert(now, captured, number, p, pkt.Marker, repaired)
	v.show(now)
	return out
}

// follow notices lost packets and asks for them.
func (v *videoReceiver) follow(now unit.Time, number int64, repaired bool) []rtcp.Packet {
	if number <= v.newest {
		n := len(v.missing)
		v.missing = slices.DeleteFunc(v.missing, func(m missing) bool { return m.number == number })
		if len(v.missing) < n && !repaired {
			v.reordered = min(max(v.reordered, v.newest-number), 10)
		}
		return nil
	}
	for n := v.newest + 1; n < number; n++ {
		v.missing = append(v.missing, missing{number: n})
	}
	v.newest = number
	v.missing = slices.DeleteFunc(v.missing, func(m missing) bool { return m.number < number-maxPacketAge })
	if len(v.missing) > maxNACKs {
		v.missing = v.missing[:0]
		return v.requestKeyFrame(now)
	}
	return v.ask(now, true)
}

// ask returns a NACK for what was not asked for yet, or, unless fresh, for too long.
func (v *videoReceiver) ask(now unit.Time, fresh bool) []rtcp.Packet {
	var numbers []unit.SeqNo
	kept := v.missing[:0]
	for _, m := range v.missing {
		if ask := m.tries == 0 && v.newest-m.number >= v.reordered || !fresh && m.tries > 0 && now.Sub(m.askedAt) >= assumedRTT; ask {
			numbers = append(numbers, unit.SeqNo(m.number))
			m.tries, m.askedAt = m.tries+1, now
		}
		if m.tries < maxNACKRetries {
			kept = append(kept, m)
		}
	}
	v.missing = kept
	v.nacksAt = unit.Never
	if len(v.missing) > 0 {
		v.nacksAt = now.Add(nackInterval)
	}
	if len(numbers) == 0 {
		return nil
	}
	v.nacks += len(numbers)
	return []rtcp.Packet{enginetest.NACKFor(v.ssrc, numbers...)}
}

// insert puts a packet into its frame.
func (v *videoReceiver) insert(now unit.Time, captured time.Duration, number int64, p picture, marker, repaired bool) {
	if v.isShown && captured <= v.shownUpTo {
		v.discarded++
		return
	}
	i, found := slices.BinarySearchFunc(v.units, captured, func(u *temporalUnit, t time.Duration) int { return int(u.captured - t) })
	if !found {
		v.units = slices.Insert(v.units, i, &temporalUnit{captured: captured, last: -1})
	}
	u := v.units[i]
	j := slices.IndexFunc(u.frames, func(f *frame) bool { return f.spatial == p.spatial })
	if j < 0 {
		j = len(u.frames)
		u.frames = append(u.frames, &frame{picture: p, got: make([]bool, p.count), left: int(p.count)})
	}
	f := u.frames[j]
	if f.number != p.number || f.got[p.index] {
		return
	}
	f.got[p.index] = true
	f.left--
	u.newest, u.repaired = max(u.newest, number), u.repaired || repaired
	if marker {
		u.last = number
	}
	if u.complete() && !u.counted {
		u.counted = true
		v.playout.complete(now, time.Duration(now)-captured, u.repaired)
	}
}

func (u *temporalUnit) complete() bool {
	return u.last >= 0 && !slices.ContainsFunc(u.frames, func(f *frame) bool { return f.left > 0 })
}

// decodable reports whether all that the picture needs was decoded.
func (v *videoReceiver) decodable(u *temporalUnit) bool {
	if !u.complete() {
		return false
	}
	for _, f := range u.frames {
		if f.base != 0 && !slices.ContainsFunc(u.frames, func(o *frame) bool { return o.spatial == f.spatial-1 }) {
			return false
		}
		if f.reference != 0 && !v.decoded[frameID{f.spatial, f.reference}] {
			return false
		}
	}
	return true
}

// show shows what is due.
func (v *videoReceiver) show(now unit.Time) {
	for {
		i := slices.IndexFunc(v.units, v.decodable)
		if i < 0 {
			v.wokenAt = unit.Never
			return
		}
		u := v.units[i]
		if at := v.due(now, u.captured); at > now {
			v.wokenAt = at
			return
		}
		v.decode(now, u)
		v.discarded += i
		v.units = v.units[i+1:]
	}
}

func (v *videoReceiver) decode(now unit.Time, u *temporalUnit) {
	if u.frames[0].reference == 0 {
		clear(v.decoded)
	}
	top := u.frames[0]
	for _, f := range u.frames {
		v.decoded[frameID{f.spatial, f.number}] = true
		if f.spatial > top.spatial {
			top = f
		}
	}
	v.missing = slices.DeleteFunc(v.missing, func(m missing) bool { return m.number <= u.newest })
	v.shownUpTo, v.isShown, v.needsKey, v.waitsFrom = u.captured, true, false, now
	v.shown(now)
	v.shownAs = append(v.shownAs, shownFrame{now, top.spatial, top.temporal})
}

func (v *videoReceiver) requestKeyFrame(now unit.Time) []rtcp.Packet {
	v.needsKey, v.waitsFrom = true, now
	v.plis++
	return []rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(v.ssrc)}}
}

func (v *videoReceiver) keyFrameAt() unit.Time {
	switch {
	case !v.started:
		return unit.Never
	case v.needsKey:
		return v.waitsFrom.Add(waitForKeyFrame)
	}
	return v.waitsFrom.Add(waitForFrame)
}

// timeout does what is due, and returns what to send back.
func (v *videoReceiver) timeout(now unit.Time) (out []rtcp.Packet) {
	if v.nacksAt <= now {
		out = v.ask(now, false)
	}
	if v.wokenAt <= now {
		v.show(now)
	}
	if v.keyFrameAt() <= now {
		out = append(out, v.requestKeyFrame(now)...)
	}
	return out
}

func (v *videoReceiver) nextTimeout() unit.Time { return min(v.nacksAt, v.wokenAt, v.keyFrameAt()) }

// report returns the reception report of the stream, for a report that is sent now.
func (v *videoReceiver) report(now unit.Time) (r rtcp.ReceptionReport, ok bool) {
	if !v.started {
		return rtcp.ReceptionReport{}, false
	}
	expected := int(v.newest - v.first + 1)
	lost := expected - v.reported.expected - (v.packets - v.reported.received)
	fraction := 0
	if n := expected - v.reported.expected; n > 0 {
		fraction = max(lost, 0) * 256 / n
	}
	v.reported.expected, v.reported.received = expected, v.packets
	r = rtcp.ReceptionReport{
		SSRC: uint32(v.ssrc), FractionLost: uint8(min(fraction, 255)), TotalLost: uint32(max(expected-v.packets, 0)),
		LastSequenceNumber: uint32(v.newest),
	}
	if v.lastSRAt != 0 {
		r.LastSenderReport, r.Delay = v.lastSR, unit.NTPDuration(now.Sub(v.lastSRAt))
	}
	return r, true
}
