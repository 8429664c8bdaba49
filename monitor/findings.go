package monitor

import (
	"fmt"
	"time"

	"gazpacho/engine/look"
)

// Level says how bad something is.
type Level string

// Levels of findings.
const (
	Bad  Level = "bad"  // somebody sees or hears nothing
	Warn Level = "warn" // somebody sees or hears less than could be
	Note Level = "note" // as somebody wants it
)

// Finding answers "why does this picture stand still?" in a sentence.
type Finding struct {
	Level Level  `json:"level"`
	Text  string `json:"text"`
	About string `json:"about,omitempty"` // id of a producer or consumer; empty: the transport
}

// Chosen here: from when on figures are worth a word.
const (
	muchLoss = 0.1
	someLoss = 0.03
	longRTT  = 400 // milliseconds
	poor     = 7   // a score below it means losses
)

// findings are all about a transport and what it holds.
func findings(t *look.Transport) []Finding {
	f := finder{list: []Finding{}}
	f.transport(t)
	for i := range t.Producers {
		f.producer(&t.Producers[i])
	}
	for i := range t.Consumers {
		f.consumer(t, &t.Consumers[i])
	}
	return f.list
}

type finder struct {
	list  []Finding
	about string
	cut   bool // the transport has no connection, which explains much
}

func (f *finder) say(level Level, format string, args ...any) {
	f.list = append(f.list, Finding{level, fmt.Sprintf(format, args...), f.about})
}

func (f *finder) transport(t *look.Transport) {
	if t.Broken {
		f.say(Bad, "An internal error took the transport out of service. The application should make a new one; the worker's log has the cause.")
		return
	}
	f.connection(t)
	f.cut = len(f.list) > 0 && f.list[0].Level == Bad
	f.path(t)
	f.drops(t)
}

// connection is about the peer being there.
func (f *finder) connection(t *look.Transport) {
	switch t.ICE {
	case "new":
		f.say(Bad, "No peer has connected: not one valid ICE check has come. It may not reach the announced address and ports, or has not been told of them.")
	case "disconnected":
		f.say(Bad, "ICE has lost the peer%s: nothing has come from it for too long.", since(t.History, func(s *look.Sample) bool { return s.ICE == "disconnected" }))
	}
	switch {
	case t.ICE == "" || t.ICE == "new":
	case t.DTLS == "new":
		f.say(Bad, "DTLS has not begun: the application has not called connect() yet.")
	case t.DTLS == "connecting":
		f.say(Bad, "The DTLS handshake is not over%s.", since(t.History, func(s *look.Sample) bool { return s.DTLS == "connecting" }))
	case t.DTLS == "failed":
		f.say(Bad, "The DTLS handshake failed: a wrong fingerprint, or no cipher suite in common. The worker's log says why.")
	case t.DTLS == "closed":
		f.say(Bad, "The peer has closed DTLS: it is gone.")
	}
	if (t.Kind == look.Plain || t.Kind == look.Pipe) && t.Remote == "" {
		f.say(Bad, "The peer's address is not known: connect() was not called, or, with comedia, nothing has come yet.")
	}
	if t.SCTP == "failed" || t.SCTP == "closed" {
		f.say(Warn, "SCTP is %s: data channels carry nothing.", t.SCTP)
	}
	lost := uint64(0)
	for i := range t.History {
		lost += t.History[i].Disconnections
	}
	if lost > 0 && t.ICE != "disconnected" {
		f.say(Note, "ICE lost the peer %s in the last ten minutes.", times(lost))
	}
	if t.TCP {
		f.say(Note, "Media goes over TCP: lost packets hold up those behind them. UDP seems to be blocked.")
	}
}

// path is about the network between the peer and here.
func (f *finder) path(t *look.Transport) {
	if loss := lossOut(t); loss >= muchLoss {
		f.say(Bad, "%s of what is sent to the peer is lost.", percent(loss))
	} else if loss >= someLoss {
		f.say(Warn, "%s of what is sent to the peer is lost.", percent(loss))
	}
	if loss := t.Stats.RTPPacketLossReceived; loss != nil && *loss >= someLoss {
		level := Warn
		if *loss >= muchLoss {
			level = Bad
		}
		f.say(level, "%s of what the peer sends is lost on the way here.", percent(*loss))
	}
	for _, c := range t.Consumers {
		if rtt := rttOf(&c); rtt >= longRTT {
			f.say(Warn, "The round trip to the peer takes %.0f ms.", rtt)
			break
		}
	}
	if t.Stats.MaxOutgoingBitrate != nil {
		f.say(Note, "The application allows at most %s to the peer.", bitrate(*t.Stats.MaxOutgoingBitrate))
	}
}

// lossOut is the share of packets that are lost on the way to the peer: as its feedback for the whole transport says, or else as it reports
// of each stream. Streams count by their bitrates, or a single packet of a voice that is silent would weigh more than a picture.
func lossOut(t *look.Transport) float64 {
	if loss := t.Stats.RTPPacketLossSent; loss != nil {
		return *loss
	}
	var lost, sent float64
	for _, c := range t.Consumers {
		for _, s := range c.Streams {
			lost += float64(s.Bitrate) * float64(s.FractionLost) / 256
			sent += float64(s.Bitrate)
		}
	}
	return lost / max(sent, 1)
}

func rttOf(c *look.Consumer) (rtt float32) {
	for _, s := range c.Streams {
		rtt = max(rtt, s.RoundTripTime)
	}
	return rtt
}

// reasons are drops that say something about peer or host.
var reasons = []struct {
	name, text string
	level      Level
}{
	{"Unauthenticated", "packets did not fit the keys: both sides disagree about them, or somebody else sends here", Warn},
	{"RTPUnknown", "packets were of no producer: the peer sends what the application has not called produce() for, or with other SSRCs", Warn},
	{"RTPMalformed", "packets could not be read", Warn},
	{"SendFailed", "packets were not taken by the kernel: its send buffer is too small, or the network is gone", Warn},
	{"OverBudget", "packets were not sent again, as the peer asked for too many", Note},
	{"DataBufferFull", "messages found the send buffer full: the peer is too slow for what it is sent", Warn},
}

func (f *finder) drops(t *look.Transport) {
	for _, r := range reasons {
		if n := t.Drops[r.name]; n > 0 {
			f.say(r.level, "%d %s (since the transport was made).", n, r.text)
		}
	}
}

func (f *finder) producer(p *look.Producer) {
	f.about = p.ID
	best, worst := uint8(0), uint8(10)
	for _, s := range p.Streams {
		best = max(best, s.Score)
		if s.Bitrate > 0 {
			worst = min(worst, s.Score)
		}
	}
	switch {
	case p.Paused:
		f.say(Note, "The application has paused it.")
	case len(p.Streams) == 0:
		f.say(Bad, "Not one packet of it has come.")
	case best == 0:
		f.say(Bad, "Nothing comes from the peer any more.")
	case worst < poor:
		f.say(Warn, "Packets are lost on the way here (score %d of 10).", worst)
	}
}

func (f *finder) consumer(t *look.Transport, c *look.Consumer) {
	f.about = c.ID
	switch {
	case c.Paused:
		f.say(Note, "The application has paused it.")
	case c.ProducerPaused:
		f.say(Note, "Its producer is paused.")
	case f.cut:
	case !c.Active:
		f.say(Bad, "It does not forward, as the transport is not connected.")
	case c.Type != "pipe" && c.ProducerScore == 0:
		f.say(Bad, "Nothing comes from its producer's peer.")
	case c.KeyFrameWait >= 1:
		f.say(Bad, "It has waited for a key frame for %.0f s: the producer's peer has been asked for one.", c.KeyFrameWait)
	case c.HasLayers:
		f.layers(t, c)
	}
	if c.Active && c.Type != "pipe" && c.ProducerScore > 0 && c.Score < poor {
		f.say(Warn, "Packets are lost on the way to the peer (score %d of 10).", c.Score)
	}
}

// layers is about which layers are forwarded, and which are wanted.
func (f *finder) layers(t *look.Transport, c *look.Consumer) {
	room := "the bandwidth to the peer"
	if e := t.Stats.AvailableOutgoingBitrate; e != nil {
		room = "the " + bitrate(*e) + " that the path to the peer has"
	}
	switch {
	case c.Current == "" && c.Target == "":
		f.say(Bad, "No layer fits into %s, or none is sent.", room)
	case c.Current == "":
		f.say(Warn, "It waits for a key frame of layer %s.", c.Target)
	case c.Target != c.Preferred && c.Target < c.Preferred:
		f.say(Warn, "Layer %s is forwarded in place of %s: more does not fit into %s, or is not sent.", c.Current, c.Preferred, room)
	case c.Current < c.Target:
		f.say(Note, "Layer %s is forwarded until a key frame of %s comes.", c.Current, c.Target)
	}
}

// since says for how long a transport has been in a state, by its history.
func since(history []look.Sample, is func(*look.Sample) bool) string {
	i := len(history)
	for i > 0 && is(&history[i-1]) {
		i--
	}
	switch n := len(history) - i; {
	case n == 0:
		return ""
	case i == 0:
		return fmt.Sprintf(" for %v or longer", time.Duration(n*look.SampleSeconds)*time.Second)
	default:
		return fmt.Sprintf(" for about %v", time.Duration(n*look.SampleSeconds)*time.Second)
	}
}

func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

func bitrate(bps uint64) string {
	switch {
	case bps >= 10e6:
		return fmt.Sprintf("%.0f Mbit/s", float64(bps)/1e6)
	case bps >= 1e6:
		return fmt.Sprintf("%.1f Mbit/s", float64(bps)/1e6)
	}
	return fmt.Sprintf("%.0f kbit/s", float64(bps)/1e3)
}
