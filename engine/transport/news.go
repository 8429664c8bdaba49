package transport

import (
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// How often the application hears of one thing that a peer can change with each packet. Chosen here: no honest peer gets there, and
// one that does costs the application little.
const (
	newsAtOnce = 10 // notifications of one event of one object that leave at once within newsPeriod
	newsPeriod = time.Second
)

// news holds back notifications that a peer causes too often: the last one leaves when the period is over, so that the application
// always gets the final state. The zero value is ready.
type news struct {
	recent map[topic]*recentNews
	next   unit.Time // when the first of those held back is due; 0 for none
	swept  unit.Time
}

// topic is an event of one object.
type topic struct {
	handlerID string
	event     api.Event
}

type recentNews struct {
	until  unit.Time // the end of the period
	atOnce int       // how many left within it
	last   *api.Notification
}

// replaceable reports whether a notification says how things are, so that it makes earlier ones of its kind pointless.
func replaceable(e api.Event) bool {
	switch e {
	case api.EventWebRtcTransportICESelectedTupleChange, api.EventProducerScore, api.EventProducerVideoOrientationChange,
		api.EventConsumerScore, api.EventConsumerLayersChange, api.EventDataConsumerSCTPSendBufferFull:
		return true
	}
	return false
}

// emit passes n on, now or later. It keeps a copy in that case.
func (n *news) emit(now unit.Time, t *Transport, notification *api.Notification) {
	if !replaceable(notification.Event) {
		t.env.Emit(notification)
		return
	}
	n.sweep(now)
	if n.recent == nil {
		n.recent = map[topic]*recentNews{}
	}
	key := topic{notification.HandlerID, notification.Event}
	r := n.recent[key]
	if r == nil {
		r = &recentNews{}
		n.recent[key] = r
	}
	if now >= r.until && r.last == nil {
		r.until, r.atOnce = now.Add(newsPeriod), 0
	}
	if r.atOnce < newsAtOnce {
		r.atOnce++
		t.env.Emit(notification)
		return
	}
	held := *notification
	r.last = &held
	if n.next == 0 || r.until < n.next {
		n.next = r.until
		t.lowerDeadline(r.until)
	}
}

// release passes on what is due.
func (n *news) release(now unit.Time, t *Transport) {
	if n.next == 0 || now < n.next {
		return
	}
	n.next = 0
	for _, r := range n.recent {
		switch {
		case r.last == nil:
		case r.until <= now:
			t.env.Emit(r.last)
			r.last, r.until, r.atOnce = nil, now.Add(newsPeriod), newsAtOnce
		case n.next == 0 || r.until < n.next:
			n.next = r.until
		}
	}
}

func (n *news) nextTimeout() unit.Time {
	if n.next == 0 {
		return unit.Never
	}
	return n.next
}

// sweep forgets, once a period, what has been quiet.
func (n *news) sweep(now unit.Time) {
	if now.Sub(n.swept) < newsPeriod {
		return
	}
	n.swept = now
	for key, r := range n.recent {
		if r.until <= now && r.last == nil {
			delete(n.recent, key)
		}
	}
	if len(n.recent) == 0 {
		n.recent = nil // a map keeps the room that it once had
	}
}

// forget drops what is held back about an object that is closed.
func (n *news) forget(handlerID string) {
	for key := range n.recent {
		if key.handlerID == handlerID {
			delete(n.recent, key)
		}
	}
}
