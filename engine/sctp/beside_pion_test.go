package sctp_test

import (
	"bytes"
	be "encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	pion "github.com/pion/sctp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/sctp"
	"gazpacho/engine/unit"
	"gazpacho/internal/fuzzseed"
)

// road is one direction of a path in the time of a synctest bubble, for pion, which has goroutines and timers of its own.
type road struct {
	mu     sync.Mutex
	random *rand.Rand
	delay  time.Duration
	loss   float64
	repeat float64   // how likely a packet comes twice
	late   float64   // how likely it comes so late that others overtake it
	rate   float64   // bytes in a second, 0: any
	queue  int       // bytes that may wait
	free   time.Time // when all that waits has left
	to     func([]byte)
}

func (r *road) send(p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.free.Before(now) {
		r.free = now
	}
	if r.rate > 0 {
		if r.queue > 0 && r.free.Sub(now).Seconds()*r.rate > float64(r.queue) {
			return
		}
		r.free = r.free.Add(time.Duration(float64(len(p)) / r.rate * float64(time.Second)))
	}
	if r.random.Float64() < r.loss {
		return
	}
	p = bytes.Clone(p)
	after := r.free.Add(r.delay).Sub(now)
	if r.repeat > 0 && r.random.Float64() < r.repeat {
		time.AfterFunc(after, func() { r.to(bytes.Clone(p)) })
	}
	if r.late > 0 && r.random.Float64() < r.late {
		after += r.delay / 2
	}
	time.AfterFunc(after, func() { r.to(p) })
}

// speaker is an end of a path: pion's association or ours.
type speaker interface {
	// say sends a message; false when too much waits already.
	say(stream uint16, data []byte, o sctp.SendOptions) bool
	// heard returns the messages so far and when they came.
	heard() (messages []sctp.Message, at []unit.Time)
	forget()
}

// pionSpeaker is pion's association.
type pionSpeaker struct {
	a       *pion.Association
	c       *pionConn
	largest int // message that it can read

	mu       sync.Mutex
	streams  map[uint16]*pion.Stream
	listens  map[*pion.Stream]bool
	messages []sctp.Message
	at       []unit.Time
}

func newPionSpeaker(c *pionConn) *pionSpeaker {
	return &pionSpeaker{c: c, largest: 1 << 18, streams: map[uint16]*pion.Stream{}, listens: map[*pion.Stream]bool{}}
}

// run begins to listen, after the handshake.
func (s *pionSpeaker) run(a *pion.Association) {
	s.a = a
	go func() {
		for {
			stream, err := a.AcceptStream()
			if err != nil {
				return
			}
			go s.listen(stream)
		}
	}()
}

// listen reads a stream, which may be both opened and accepted.
func (s *pionSpeaker) listen(stream *pion.Stream) {
	s.mu.Lock()
	listens := s.listens[stream]
	s.listens[stream] = true
	s.mu.Unlock()
	if listens {
		return
	}
	b := make([]byte, s.largest)
	for {
		n, ppid, err := stream.ReadSCTP(b)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.messages = append(s.messages, sctp.Message{StreamID: stream.StreamIdentifier(), PPID: uint32(ppid), Data: bytes.Clone(b[:n])})
		s.at = append(s.at, clock())
		s.mu.Unlock()
	}
}

func (s *pionSpeaker) say(id uint16, data []byte, o sctp.SendOptions) bool {
	s.mu.Lock()
	stream := s.streams[id]
	s.mu.Unlock()
	if stream == nil {
		var err error
		if stream, err = s.a.OpenStream(id, pion.PayloadTypeWebRTCBinary); err != nil {
			panic(err)
		}
		if o.MaxRetransmits != nil { // pion counts the first transmission
			stream.SetReliabilityParams(!o.Ordered, pion.ReliabilityTypeRexmit, uint32(*o.MaxRetransmits)+1)
		} else {
			stream.SetReliabilityParams(!o.Ordered, pion.ReliabilityTypeReliable, 0)
		}
		s.mu.Lock()
		s.streams[id] = stream
		s.mu.Unlock()
		go s.listen(stream)
	}
	if stream.BufferedAmount() > 400_000 {
		return false
	}
	_, err := stream.WriteSCTP(data, pion.PayloadTypeWebRTCBinary)
	return err == nil
}

func (s *pionSpeaker) heard() ([]sctp.Message, []unit.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.messages, s.at
}

func (s *pionSpeaker) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages, s.at = nil, nil
}

func (h *host) say(id uint16, data []byte, o sctp.SendOptions) (ok bool) {
	h.do(func(now unit.Time) {
		ok = h.a.BufferedAmount(id) < 400_000 && h.a.Send(now, sctp.Message{StreamID: id, PPID: 53, Data: data}, o) == nil
	})
	return ok
}

func (h *host) heard() ([]sctp.Message, []unit.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.messages, h.at
}

func (h *host) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.messages, h.at = nil, nil
}

// path is two roads.
type path struct {
	there, back *road
}

func newPath(seed uint64, delay time.Duration) *path {
	make := func(n uint64) *road { return &road{random: rand.New(rand.NewPCG(seed, n)), delay: delay} }
	return &path{make(1), make(2)}
}

func (p *path) set(f func(r *road)) {
	for _, r := range []*road{p.there, p.back} {
		r.mu.Lock()
		f(r)
		r.mu.Unlock()
	}
}

// meet connects two ends over a path; kinds say which are pion's. stop ends both.
func (p *path) meet(t *testing.T, kinds [2]bool) (ends [2]speaker, stop func()) {
	t.Helper()
	roads := [2]*road{p.there, p.back}
	var starts, stops []func()
	for i, isPion := range kinds {
		if !isPion {
			h := newHost(t)
			h.mu.Lock()
			h.to = roads[i].send
			h.mu.Unlock()
			roads[1-i].to = h.arrive
			ends[i] = h
			stops = append(stops, func() { h.do(func(unit.Time) { h.a.Close() }); h.timer.Stop() })
			starts = append(starts, func() { h.do(func(now unit.Time) { h.a.MayConnect(now) }) })
			continue
		}
		c := newPionConn()
		c.to, roads[1-i].to = roads[i].send, c.arrive
		s := newPionSpeaker(c)
		ends[i] = s
		starts = append(starts, func() {
			a, err := pion.ClientWithOptions(pion.WithNetConn(c), pion.WithMaxMessageSize(1<<18))
			if err != nil {
				panic(err)
			}
			s.run(a)
		})
		stops = append(stops, func() { _ = s.a.Close(); _ = c.Close() })
	}
	var wait sync.WaitGroup
	for _, f := range starts {
		wait.Go(f)
	}
	wait.Wait()
	return ends, func() {
		for _, f := range stops {
			f()
		}
		time.Sleep(time.Minute) // what is under way arrives nowhere
	}
}

// figures are of one transfer.
type figures struct {
	mbits    float64
	p50, p99 time.Duration
	memory   int // of both ends at the end, without what was delivered; bytes
}

func (f figures) String() string {
	return fmt.Sprintf("%.2f Mbit/s, %v, %v, %d KB",
		f.mbits, f.p50.Round(time.Millisecond), f.p99.Round(time.Millisecond), f.memory/1000)
}

// traffic says what is sent: a bulk transfer of messages of a size, 200 small messages in a second, or both.
type traffic struct {
	bulk, chat *sctp.SendOptions
	size       int
}

var (
	once = sctp.SendOptions{MaxRetransmits: ptr[uint16](0)}

	bulk     = traffic{bulk: &ordered, size: 16000}
	bulkOnce = traffic{bulk: &once, size: 1000}
	chat     = traffic{chat: &ordered}
	chatOnce = traffic{chat: &once}
	both     = traffic{bulk: &ordered, size: 16000, chat: &once}
)

// measure sends for some time.
func measure(t *testing.T, isPion bool, rtt time.Duration, loss float64, what traffic, d time.Duration) (f figures) {
	before := live()
	synctest.Test(t, func(t *testing.T) {
		p := newPath(1, rtt/2)
		ends, stop := p.meet(t, [2]bool{isPion, isPion})
		time.Sleep(5 * time.Second)
		p.set(func(r *road) { r.loss, r.rate, r.queue = loss, 100e6/8, 200_000 })
		data := make([]byte, what.size)
		for begin := time.Now(); time.Since(begin) < d; time.Sleep(5 * time.Millisecond) {
			for what.bulk != nil && ends[0].say(1, bytes.Clone(data), *what.bulk) {
			}
			if what.chat != nil {
				ends[0].say(2, be.BigEndian.AppendUint64(make([]byte, 92), uint64(clock())), *what.chat)
			}
		}
		messages, at := ends[1].heard()
		n := 0
		var took []time.Duration
		for i, m := range messages {
			if m.StreamID == 1 {
				n += len(m.Data)
			} else {
				took = append(took, at[i].Sub(unit.Time(be.BigEndian.Uint64(m.Data[92:]))))
			}
		}
		messages, at = nil, nil
		ends[1].forget()
		f.memory = int(live()) - int(before)
		f.mbits = float64(n) * 8 / d.Seconds() / 1e6
		if len(took) > 0 {
			slices.Sort(took)
			f.p50, f.p99 = took[len(took)/2], took[len(took)*99/100]
		}
		stop()
	})
	return f
}

var table = flag.Bool("table", false, "measure all that docs/benchmarks.md has")

// The same transfers between two of ours and two of pion's, where packets are lost. Time is virtual. With -args -table, it prints the
// table of docs/benchmarks.md.
func TestBesidePion(t *testing.T) {
	if *table {
		for _, rtt := range []time.Duration{6, 40, 150} {
			for _, loss := range []float64{0, 0.01, 0.05} {
				t.Log(row(t, rtt*time.Millisecond, loss))
			}
		}
	}
	for _, rtt := range []time.Duration{6 * time.Millisecond, 40 * time.Millisecond} {
		for _, loss := range []float64{0.01, 0.05} {
			t.Run(fmt.Sprint(rtt, loss), func(t *testing.T) {
				const d = 2 * time.Second
				ours, theirs := measure(t, false, rtt, loss, both, d), measure(t, true, rtt, loss, both, d)
				require.Greater(t, ours.mbits, theirs.mbits)
				require.Less(t, ours.p50, theirs.p50+5*time.Millisecond)
				require.LessOrEqual(t, measure(t, false, rtt, loss, chatOnce, d).p99, rtt)
			})
		}
	}
}

// row is a row of the tables; each cell is ours and pion's.
func row(t *testing.T, rtt time.Duration, loss float64) string {
	text := fmt.Sprintf("%v %v%%:", rtt, loss*100)
	for _, what := range []traffic{bulk, chat, bulkOnce, chatOnce, both} {
		for _, isPion := range []bool{false, true} {
			text += fmt.Sprintf(" | %v", measure(t, isPion, rtt, loss, what, 10*time.Second))
		}
	}
	return text
}

// pionAndUs connects pion and us, and calls talk once both are connected.
func pionAndUs(t *testing.T, seed uint64, talk func(p *path, ends [2]speaker)) {
	synctest.Test(t, func(t *testing.T) {
		p := newPath(seed, 5*time.Millisecond)
		ends, stop := p.meet(t, [2]bool{false, true})
		defer stop()
		time.Sleep(5 * time.Second)
		talk(p, ends)
	})
}

// byStream returns what an end heard on each stream.
func byStream(s speaker) map[uint16][]string {
	all := map[uint16][]string{}
	messages, _ := s.heard()
	for _, m := range messages {
		all[m.StreamID] = append(all[m.StreamID], string(m.Data))
	}
	return all
}

// Messages of all sizes arrive both ways, in order, over a network that loses, repeats and reorders.
func TestPionOverABadNetwork(t *testing.T) {
	for seed := range uint64(3) {
		pionAndUs(t, seed, func(p *path, ends [2]speaker) {
			p.set(func(r *road) { r.loss, r.repeat, r.late = 0.03, 0.03, 0.05 })
			var sent [2]map[uint16][]string
			for from, e := range ends {
				sent[from] = map[uint16][]string{}
				for i, size := range []int{1, 64 << 10, 1200, 256 << 10, 5000, 64 << 10} {
					stream := uint16(i % 2)
					data := bytes.Repeat([]byte{byte(i)}, size)
					require.True(t, e.say(stream, data, ordered))
					sent[from][stream] = append(sent[from][stream], string(data))
				}
			}
			time.Sleep(3 * time.Minute)
			require.Equal(t, sent[0], byStream(ends[1]))
			require.Equal(t, sent[1], byStream(ends[0]))
		})
	}
}

func TestThousandsOfStreamsWithPion(t *testing.T) {
	pionAndUs(t, 1, func(p *path, ends [2]speaker) {
		ends[1].(*pionSpeaker).largest = 100
		p.set(func(r *road) { r.loss, r.repeat, r.late = 0.01, 0.01, 0.02 })
		sent := map[uint16][]string{}
		for id := range uint16(4096) {
			sent[id*16] = []string{fmt.Sprint("message ", id)}
			for _, e := range ends {
				require.True(t, e.say(id*16, []byte(sent[id*16][0]), ordered))
			}
		}
		time.Sleep(time.Minute)
		require.Equal(t, sent, byStream(ends[0]))
		require.Equal(t, sent, byStream(ends[1]))
	})
}

// FuzzWithPion lets pion and us talk over a bad network: everything that is reliable arrives both ways, in order.
func FuzzWithPion(tf *testing.F) {
	f := fuzzseed.New(tf, 20)
	f.Add(uint32(1), []byte{0, 1, 8, 9, 16, 17, 40, 64, 65, 66, 67, 80})
	f.Add(uint32(2), []byte{130, 24, 25, 26, 27, 32, 33, 48, 49, 80, 131, 24, 25, 48, 80})
	f.Fuzz(func(t *testing.T, seed uint32, ops []byte) {
		pionAndUs(t, uint64(seed), func(p *path, ends [2]speaker) {
			var sent [2]map[uint16][]string
			sent[0], sent[1] = map[uint16][]string{}, map[uint16][]string{}
			for i, op := range ops[:min(len(ops), 40)] {
				from, stream := int(op&1), uint16(op>>1&3)
				switch kind := op >> 3; {
				case kind < 6:
					size := []int{1, 30, 1100, 3000, 20000, 60000}[kind]
					data := fmt.Appendf(bytes.Repeat([]byte{'r'}, size), "%d", i)
					if ends[from].say(stream, data, ordered) {
						sent[from][stream] = append(sent[from][stream], string(data))
					}
				case kind < 9:
					ends[from].say(4+stream, bytes.Repeat([]byte{'u'}, 100+int(kind-6)*1000), sctp.SendOptions{MaxRetransmits: ptr[uint16](0)})
				case kind < 16:
					time.Sleep(time.Duration(op) * time.Millisecond)
				default:
					p.set(func(r *road) { r.loss, r.delay = float64(op&3)/10, time.Duration(op&31)*time.Millisecond })
				}
			}
			p.set(func(r *road) { r.loss, r.delay = 0, 5*time.Millisecond })
			time.Sleep(3 * time.Minute)
			for i := range ends {
				got := byStream(ends[1-i])
				for id := range uint16(4) {
					delete(got, 4+id)
				}
				require.Equal(t, sent[i], got, "from %d", i)
			}
		})
	})
}
