package media_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
)

// standstills are times after which something has wrapped, all of them longer than anything is remembered.
var standstills = map[string]time.Duration{
	"16 bits of milliseconds":             1<<16*time.Millisecond + time.Second,
	"half of an RTP clock of 90 kHz":      1<<31*time.Second/90000 + time.Second,
	"an RTP clock of 48 kHz":              1<<32*time.Second/48000 + time.Second,
	"an RTP clock of 90 kHz":              1<<32*time.Second/90000 + time.Second,
	"an RTP clock of 90 kHz, but a bit":   1<<32*time.Second/90000 - 10*time.Millisecond,
	"NTP's compact form":                  1 << 16 * time.Second,
	"31 bits of milliseconds":             1<<31*time.Millisecond + time.Second,
	"32 bits of milliseconds":             1<<32*time.Millisecond + time.Second,
	"references of transport-wide clocks": 1 << 24 * 64 * time.Millisecond,
}

// talk is a stream of which a consumer gets something, that may stand still.
type talk struct {
	*fixture
	sendFor func(time.Duration)
	ms      *int
	outs    *[]arrival
	hz      int
}

func talks(t *testing.T) map[string]talk {
	simulcast := newSimulcastFixture(t, 1, false)
	svc := newSVCFixture(t, enginetest.VP9, "L3T3", 2)
	audio := &voice{fixture: audioFixture(t)}
	return map[string]talk{
		"simulcast": {simulcast.fixture, simulcast.sendFor, &simulcast.ms, &simulcast.outs, 90000},
		"SVC":       {svc.fixture, svc.sendFor, &svc.ms, &svc.outs, 90000},
		"audio":     {audio.fixture, audio.sendFor, &audio.ms, &audio.outs, 48000},
	}
}

// voice sends audio.
type voice struct {
	*fixture
	ms   int
	outs []arrival
}

func (v *voice) sendFor(d time.Duration) {
	for end := v.ms + int(d.Milliseconds()); v.ms < end; v.ms += 20 {
		_, outs := v.receive(enginetest.Packet{Seq: v.nextSeq(), Timestamp: unit.Timestamp(v.ms * 48), Payload: []byte{0x78, 1, 2}})
		for _, o := range outs {
			v.outs = append(v.outs, arrival{o, v.ms})
		}
		v.after(20 * time.Millisecond)
	}
}

// A stream that stood still goes on as if that had been for a second, whatever wrapped meanwhile: it is forwarded at once, its numbers go
// on, its timestamps tell the time that has passed, and what is lost can be asked for again.
func TestStreamsGoOnAfterHours(t *testing.T) {
	for why, still := range standstills {
		for kind, s := range talks(t) {
			t.Run(why+"/"+kind, func(t *testing.T) {
				s.sendFor(3 * time.Second)
				last := (*s.outs)[len(*s.outs)-1]
				s.after(time.Minute)
				s.now = s.now.Add(still - time.Minute)
				s.after(0)
				*s.ms += int(still.Milliseconds())
				*s.outs = nil
				s.sendFor(200 * time.Millisecond)
				require.NotEmpty(t, *s.outs, "nothing is forwarded")
				first := (*s.outs)[0]
				require.LessOrEqual(t, first.SequenceNumber.Sub(last.SequenceNumber), 2, "numbers go on")
				require.Positive(t, first.SequenceNumber.Sub(last.SequenceNumber), "numbers go on")
				passed := unit.Timestamp((first.ms - last.ms) * s.hz / 1000)
				require.InDelta(t, 0, first.Timestamp.Sub(last.Timestamp+passed), float64(s.hz/10), "timestamps tell the time")

				s.sendFor(3 * time.Second)
				newest := (*s.outs)[len(*s.outs)-1]
				s.c.HandleNACK(s.now, enginetest.NACKFor(newest.SSRC, newest.SequenceNumber))
				require.Len(t, s.retransmissions(), 1)
				report := unit.Timestamp(senderReport(t, s.c, s.now).RTPTime)
				require.InDelta(t, 0, report.Sub(newest.Timestamp), float64(s.hz/5), "a report is of the present")
			})
		}
	}
}
