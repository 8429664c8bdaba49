package watched_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/look"
	"gazpacho/monitor/watched"
)

var id = look.TransportID{RoomID: look.RoomID{Owner: look.Owner{Application: "a"}, Router: "r"}, Transport: "t"}

// host is one with a transport, of which each look takes a time.
type host struct {
	takes   time.Duration
	rooms   int
	surveys atomic.Int64
	looks   atomic.Int64
	busy    sync.Mutex
}

// look takes its time; two at once are a mistake.
func (h *host) look() {
	if !h.busy.TryLock() {
		panic("two looks at once")
	}
	defer h.busy.Unlock()
	h.looks.Add(1)
	time.Sleep(h.takes)
}

func (h *host) Survey(*engine.Survey) *engine.Survey {
	h.look()
	h.surveys.Add(1)
	s := &engine.Survey{}
	s.Readings = []look.Reading{{ID: id, Kind: look.WebRtc, SendBitrate: uint64(h.surveys.Load())}}
	for i := range h.rooms {
		s.Readings = append(s.Readings, look.Reading{ID: look.TransportID{RoomID: look.RoomID{Router: fmt.Sprintf("%06d", i)}, Transport: "t"}})
	}
	s.Sum()
	return s
}

func (h *host) LookAtRoom(room look.RoomID, after string) look.Room {
	h.look()
	return look.Room{RoomID: room, Transports: []look.Transport{}}
}

func (h *host) LookAtTransport(want look.TransportID) (look.Transport, bool) {
	h.look()
	return look.Transport{TransportID: want}, want == id
}

// ask asks a question and reads the answer.
func ask[T any](t *testing.T, w *watched.Watched, q look.Question) (answer T) {
	t.Helper()
	b, err := q.Append()
	require.NoError(t, err)
	b, err = w.Answer(b)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &answer))
	return answer
}

var (
	aboutAll       = look.Question{About: look.AboutAll}
	aboutTransport = look.Question{About: look.AboutTransport, RoomID: id.RoomID, Transport: id.Transport}
	aboutRoom      = look.Question{About: look.AboutRoom, RoomID: id.RoomID}
)

// Samples are taken every ten seconds, at full ten seconds, from the first question until half a minute after the last one.
func TestSamplesWhileSomebodyAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		w := watched.New(h, look.Process{Name: "a"})
		defer w.Close()
		time.Sleep(61 * time.Second) // so that nothing happens at the same instant
		require.Zero(t, h.looks.Load(), "nobody has asked")

		require.Equal(t, "a", ask[look.All](t, w, aboutAll).Process.Name)
		require.Empty(t, ask[look.Transport](t, w, aboutTransport).History)
		for range 24 {
			time.Sleep(5 * time.Second)
			ask[look.All](t, w, aboutAll)
		}
		history := ask[look.Transport](t, w, aboutTransport).History
		require.Len(t, history, 12)
		for i, s := range history {
			require.Zero(t, s.At%look.SampleSeconds)
			if i > 0 {
				require.Equal(t, history[i-1].At+look.SampleSeconds, s.At)
			}
		}
		room := ask[look.Room](t, w, aboutRoom)
		require.Len(t, room.History, 12)
		require.Equal(t, history[11].SendBitrate, room.History[11].SendBitrate)
		require.Empty(t, ask[look.Room](t, w, look.Question{About: look.AboutRoom, RoomID: id.RoomID, After: "t"}).History, "with the first piece only")

		time.Sleep(45 * time.Second)
		surveys := h.surveys.Load()
		time.Sleep(time.Hour)
		require.Equal(t, surveys, h.surveys.Load(), "they end")
		require.Empty(t, ask[look.Transport](t, w, aboutTransport).History, "and are forgotten")
		time.Sleep(11 * time.Second)
		require.Len(t, ask[look.Transport](t, w, aboutTransport).History, 1)
	})
}

// However many ask, a survey is taken every two seconds at most.
func TestASurveyServesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &host{}
		w := watched.New(h, look.Process{})
		defer w.Close()
		begin := time.Now()
		for range 100 {
			ask[look.All](t, w, aboutAll)
			time.Sleep(100 * time.Millisecond)
		}
		require.LessOrEqual(t, h.surveys.Load(), int64(time.Since(begin)/(2*time.Second))+2)
	})
}

// One look at a time, and at least three times as long a pause after it.
func TestLooksArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &host{takes: 10 * time.Millisecond}
		w := watched.New(h, look.Process{})
		defer w.Close()
		ask[look.All](t, w, aboutAll)
		begin, looks := time.Now(), h.looks.Load()
		var asking sync.WaitGroup
		for range 20 {
			asking.Go(func() { ask[look.Room](t, w, aboutRoom) })
		}
		asking.Wait()
		require.GreaterOrEqual(t, time.Since(begin), time.Duration(h.looks.Load()-looks)*40*time.Millisecond)
	})
}

func TestTooManyQuestionsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watched.New(&host{takes: time.Second}, look.Process{})
		defer w.Close()
		var refused atomic.Int64
		var asking sync.WaitGroup
		for range 40 {
			asking.Go(func() {
				if _, err := w.Answer([]byte(`{"about":"room","router":"r"}`)); err != nil {
					if err.Error() != "too many questions at once" {
						t.Error(err)
					}
					refused.Add(1)
				}
			})
		}
		asking.Wait()
		require.EqualValues(t, 8, refused.Load())
	})
}

func TestRoutersInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watched.New(&host{rooms: 1200}, look.Process{})
		defer w.Close()
		q, seen := look.Question{About: look.AboutRooms}, map[look.RoomID]bool{}
		for more := true; more; {
			answer := ask[look.Rooms](t, w, q)
			more = answer.More
			require.LessOrEqual(t, len(answer.Rooms), 500)
			for _, room := range answer.Rooms {
				seen[room.RoomID] = true
				q.RoomID = room.RoomID
			}
		}
		require.Len(t, seen, 1201)
	})
}

func TestQuestionsWithoutAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watched.New(&host{}, look.Process{})
		_, err := w.Answer([]byte(`{"about":"transport","router":"r","transport":"x"}`))
		require.EqualError(t, err, `there is no transport "x" here`)
		_, err = w.Answer([]byte("status"))
		require.ErrorContains(t, err, "cannot be read")
		w.Close()
		w.Close()
		_, err = w.Answer([]byte(`{"about":"all"}`))
		require.EqualError(t, err, "the process ends")
	})
}
