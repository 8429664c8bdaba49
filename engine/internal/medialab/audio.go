package medialab

import (
	"time"

	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// Audio is Opus with 20 ms of sound in a packet.
const (
	audioInterval = 20 * time.Millisecond
	audioPayload  = 80 // bytes: 32 kbit/s
)

// Chosen to resemble NetEq of libwebrtc, which keeps as many packets as cover 95 % of their delays, forgets these within some
// seconds, and shortens or stretches sound to get there.
const (
	audioQuantile   = 0.95
	audioForget     = 0.983
	maxAudioDelay   = 100 // packets
	accelerateEvery = 5   // packets played
)

// audioReceiver is a browser's receiving end of one audio stream.
type audioReceiver struct {
	ssrc     unit.SSRC
	started  bool
	playing  bool
	newest   int64
	next     int64 // to be played
	buffer   map[int64]bool
	shortest time.Duration
	delays   [maxAudioDelay]float64 // a histogram, in packets
	count    int

	played, concealed int
}

func newAudioReceiver(ssrc unit.SSRC) *audioReceiver {
	return &audioReceiver{ssrc: ssrc, buffer: map[int64]bool{}}
}

func (a *audioReceiver) packet(now unit.Time, pkt *rtp.Packet) {
	if !a.started {
		a.started, a.newest, a.next = true, int64(pkt.SequenceNumber), int64(pkt.SequenceNumber)
		a.shortest = time.Duration(now) - time.Duration(a.newest)*audioInterval
	}
	number := a.newest + int64(pkt.SequenceNumber.Sub(unit.SeqNo(a.newest)))
	way := time.Duration(now) - time.Duration(number)*audioInterval
	a.shortest = min(a.shortest, way)
	late := min(int((way-a.shortest)/audioInterval), maxAudioDelay-1)
	for i := range a.delays {
		a.delays[i] *= audioForget
	}
	a.delays[late] += 1 - audioForget
	if number > a.newest {
		a.newest = number
	}
	if number >= a.next {
		a.buffer[number] = true
	}
}

// target returns how many packets should wait.
func (a *audioReceiver) target() int {
	sum, total := 0.0, 0.0
	for _, d := range a.delays {
		total += d
	}
	for i, d := range a.delays {
		if sum += d; sum >= audioQuantile*total {
			return i + 1
		}
	}
	return maxAudioDelay
}

// play plays 20 ms.
func (a *audioReceiver) play() {
	if !a.started {
		return
	}
	if !a.playing {
		a.playing = len(a.buffer) >= a.target()
		return
	}
	a.count++
	a.played++
	if !a.buffer[a.next] {
		a.concealed++
		// What is missing is passed over only if what follows is there; else it may still come.
		if len(a.buffer) > 0 {
			a.next++
		}
		return
	}
	a.take()
	if a.count%accelerateEvery == 0 && len(a.buffer) > a.target()+1 {
		a.take() // shortened: nothing is lost
	}
}

func (a *audioReceiver) take() {
	delete(a.buffer, a.next)
	a.next++
}
