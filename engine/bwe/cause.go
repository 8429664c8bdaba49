package bwe

import (
	"fmt"
	"strings"

	"gazpacho/engine/unit"
)

// Cause is a reason for which an estimate moves.
type Cause uint8

// Causes.
const (
	// CauseGrowth: nothing speaks against sending more.
	CauseGrowth Cause = iota
	// CauseProbe: a probe showed that more gets through.
	CauseProbe
	// CauseRestored: what was lost did not get less with what is sent, so that decreases for losses are taken back.
	CauseRestored
	// CauseOveruse: packets wait on the path.
	CauseOveruse
	// CauseLoss: packets are lost.
	CauseLoss
	// CauseSilence: no feedback comes.
	CauseSilence
	// CauseREMB: the peer's own estimate.
	CauseREMB
	// CauseLimit: what the application allows, or what is desired with some room above.
	CauseLimit
	causes
)

var causeNames = [causes]string{"growth", "probe", "restored", "overuse", "loss", "silence", "remb", "limit"}

func (c Cause) String() string { return causeNames[c] }

// explanation records why the estimate moved.
type explanation struct {
	by     [causes]float64 // bit/s since the last call of Explain
	fellBy Cause           // the last time
	told   unit.Bitrate    // what was available at that call
}

// moved records a change of the estimate since it was before: of a rise, or of a fall.
func (s *Sender) moved(before float64, rise, fall Cause) {
	switch by := s.rate.bitrate - before; {
	case by > 0:
		s.why.by[rise] += by
	case by < 0:
		s.why.by[fall] += by
		s.why.fellBy = fall
	}
}

// Limiting returns what the estimate cannot grow beyond just now or, if nothing bounds it, why it fell last.
func (s *Sender) Limiting() Cause {
	switch bitrate := s.rate.bitrate; {
	case s.remb.value > 0 && s.remb.value < min(bitrate, float64(s.limits.max)):
		return CauseREMB
	case bitrate > float64(s.limits.max):
		return CauseLimit
	}
	return s.why.fellBy
}

// Explanation says what became of an estimate, and why.
type Explanation struct {
	From, To unit.Bitrate
	// By is what each cause moved, in bits per second. The sum differs from To - From where limits come in.
	By [causes]float64
	// Limiting: see the Sender's method.
	Limiting Cause
}

// Explain says how the available bitrate moved since it was called before. It reports false if it did not.
func (s *Sender) Explain() (e Explanation, moved bool) {
	e = Explanation{From: s.why.told, To: s.available, By: s.why.by, Limiting: s.Limiting()}
	s.why.told, s.why.by = s.available, [causes]float64{}
	return e, e.From != e.To
}

// String lists the causes with what each of them moved, as in "probe +400000, overuse -51200". It begins with "start" if there was no
// estimate before, and ends with the limit that holds, if one does.
func (e Explanation) String() string {
	var list []string
	if e.From == 0 {
		list = append(list, "start")
	}
	for c, by := range e.By {
		if by != 0 {
			list = append(list, fmt.Sprintf("%s %+.0f", Cause(c), by))
		}
	}
	if e.Limiting == CauseREMB || e.Limiting == CauseLimit {
		list = append(list, e.Limiting.String())
	}
	return strings.Join(list, ", ")
}
