// Package watched is the side of the monitor that is in each node, and in each worker that is to be watched: it answers questions about
// the transports of its process (package look). While somebody asks, it also takes a sample of each transport every ten seconds; it
// stops, and forgets them, some time after the last question.
//
// Media goes first. Looks are taken in short turns of the shards, one look at a time, and between two of them there is a pause of three
// times as long as the first one took.
package watched

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"gazpacho/engine"
	"gazpacho/engine/look"
)

// Chosen here.
const (
	// fresh is how long a survey serves all who ask.
	fresh = 2 * time.Second
	// lingers is how long samples are taken after the last question: a monitor asks at least every five seconds.
	lingers = 30 * time.Second
	// interval is the time between two samples.
	interval = look.SampleSeconds * time.Second
	// pausesFor is how many times as long as a look the pause after it is, and maxPause the longest.
	pausesFor = 3
	maxPause  = time.Second
	// maxAsking is how many questions may wait for each other.
	maxAsking = 32
	// roomsAtOnce is how many Routers are in one answer.
	roomsAtOnce = 500
)

// SocketSuffix ends the names of the sockets by which workers without a cluster are watched; the process's number comes before it.
const SocketSuffix = ".monitor.sock"

// Host is what is watched; engine.Host implements it.
type Host interface {
	Survey(before *engine.Survey) *engine.Survey
	LookAtRoom(room look.RoomID, after string) look.Room
	LookAtTransport(id look.TransportID) (look.Transport, bool)
}

// Watched answers questions about a process. It may be used from any goroutine.
type Watched struct {
	host    Host
	process look.Process
	asking  chan struct{}
	stop    chan struct{}
	running sync.WaitGroup

	// turn holds what follows to one goroutine at a time. It is no mutex, as whoever has it may pause.
	turn    chan struct{}
	history look.History
	survey  *engine.Survey
	taken   time.Time // when the survey was
	rest    time.Time // no look before
	asked   time.Time
	samples bool // the goroutine that takes samples is there
	stopped bool
}

// New returns what answers questions about a host. The process is described to whoever asks.
func New(host Host, process look.Process) *Watched {
	return &Watched{host: host, process: process, asking: make(chan struct{}, maxAsking), turn: make(chan struct{}, 1), stop: make(chan struct{})}
}

// take takes the turn; the function that it returns gives it back.
func (w *Watched) take() (leave func()) {
	w.turn <- struct{}{}
	return func() { <-w.turn }
}

// Close ends the taking of samples. Questions that come later are refused.
func (w *Watched) Close() {
	leave := w.take()
	if !w.stopped {
		w.stopped = true
		close(w.stop)
	}
	leave()
	w.running.Wait()
}

// Answer answers a question, both in JSON. Its error is for whoever asks.
func (w *Watched) Answer(question []byte) ([]byte, error) {
	q, err := look.ParseQuestion(question)
	if err != nil {
		return nil, err
	}
	select {
	case w.asking <- struct{}{}:
		defer func() { <-w.asking }()
	default:
		return nil, errors.New("too many questions at once")
	}
	answer, err := w.answer(q)
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}

func (w *Watched) answer(q look.Question) (any, error) {
	defer w.take()()
	if w.stopped {
		return nil, errors.New("the process ends")
	}
	w.asked = time.Now()
	w.takeSamples()
	if w.survey == nil || q.About == look.AboutAll || q.About == look.AboutRooms {
		w.refresh()
	}
	switch q.About {
	case look.AboutAll:
		return &look.All{Process: w.process, Survey: w.survey.Survey}, nil
	case look.AboutRooms:
		rooms, more := w.survey.After(q.RoomID, roomsAtOnce)
		return &look.Rooms{Rooms: rooms, More: more}, nil
	case look.AboutRoom:
		return w.room(q), nil
	}
	return w.transport(look.TransportID{RoomID: q.RoomID, Transport: q.Transport})
}

// refresh takes a survey if the last one is too old. The turn is held.
func (w *Watched) refresh() {
	if w.survey != nil && time.Since(w.taken) < fresh {
		return
	}
	w.paced(func() { w.survey = w.host.Survey(w.survey) })
	w.taken = time.Now()
}

// paced runs a look once the pause after the last one is over. The turn is held, so that there is one at a time.
func (w *Watched) paced(f func()) {
	if pause := time.Until(w.rest); pause > 0 {
		time.Sleep(pause)
	}
	begin := time.Now()
	f()
	end := time.Now()
	w.rest = end.Add(min(pausesFor*end.Sub(begin), maxPause))
}

func (w *Watched) room(q look.Question) (room look.Room) {
	w.paced(func() { room = w.host.LookAtRoom(q.RoomID, q.After) })
	if q.After == "" {
		room.History = w.history.Together(w.survey.Media(q.RoomID))
	}
	return room
}

func (w *Watched) transport(id look.TransportID) (any, error) {
	var t look.Transport
	var ok bool
	w.paced(func() { t, ok = w.host.LookAtTransport(id) })
	if !ok {
		return nil, fmt.Errorf("there is no transport %q here", id.Transport)
	}
	t.History = w.history.Of(id)
	return &t, nil
}

// takeSamples begins to take samples, unless they are taken already. The turn is held.
func (w *Watched) takeSamples() {
	if w.samples {
		return
	}
	w.samples = true
	w.running.Go(func() {
		for w.wait() && w.sample() {
		}
	})
}

// wait returns at the next full ten seconds, so that processes take samples at the same time; false if the process ends.
func (w *Watched) wait() bool {
	timer := time.NewTimer(time.Until(time.Now().Truncate(interval).Add(interval)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.stop:
		return false
	}
}

// sample takes a sample of each transport; it returns false if nobody asks any more.
func (w *Watched) sample() bool {
	defer w.take()()
	if time.Since(w.asked) > lingers {
		w.samples, w.survey = false, nil
		w.history.Clear()
		return false
	}
	at := time.Now().Round(interval)
	w.taken = time.Time{} // a survey of this instant
	w.refresh()
	w.history.Take(uint32(at.Unix()), w.survey.Readings)
	return true
}
