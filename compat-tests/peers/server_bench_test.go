package peers_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gazpacho/compat-tests/peers/app"
	"gazpacho/compat-tests/peers/rawpeer"
	"gazpacho/engine/api"
)

// room is one speaker and many listeners, all behind one port of a WebRtcServer.
type room struct {
	speaker   *rawpeer.Peer
	listeners []*app.Transport
	packets   [][]byte
}

const (
	benchPackets   = 20_000 // that a speaker has
	benchListeners = 15
)

func newRoom(b *testing.B, w *app.Router, o app.Options) *room {
	r := w.NewRouter()
	from := r.NewTransport(o)
	m := &room{speaker: rawpeer.New(b, from)}
	m.speaker.Connect(api.ProtocolUDP)
	p := from.Produce(api.MediaKindAudio, aliceSSRC)
	for range benchListeners {
		to := r.NewTransport(o)
		peer := rawpeer.New(b, to)
		peer.Connect(api.ProtocolUDP)
		peer.Path().StopReading()
		to.Consume(p, bobSSRC)
		m.listeners = append(m.listeners, to)
	}
	payload := strings.Repeat("x", 1100)
	for i := range benchPackets {
		m.packets = append(m.packets, m.speaker.Protect(aliceSSRC, uint16(i), payload))
	}
	return m
}

// BenchmarkRoomsBehindOnePort offers more than the worker can forward, and tells how many packets it forwards in a second of
// time, and what CPU time each costs. Set WORKER_BIN: the binary that tests build has the race detector.
func BenchmarkRoomsBehindOnePort(b *testing.B) {
	if os.Getenv("WORKER_BIN") == "" {
		b.Fatal("WORKER_BIN must name the worker to be measured")
	}
	w := start(b)
	o := listenOn(w, true, api.ProtocolUDP)
	rooms := []*room{newRoom(b, w, o), newRoom(b, w, o), newRoom(b, w, o), newRoom(b, w, o)}
	before := workerTime(b, w.PID())
	began, i := time.Now(), 0
	for b.Loop() {
		for _, m := range rooms {
			m.speaker.Path().Send(m.packets[i%benchPackets])
		}
		i++
		// As many as can be sent in this time and a little more than can be forwarded: the benchmark shares the cores.
		if ahead := time.Duration(i)*time.Second/8000 - time.Since(began); ahead > time.Millisecond {
			time.Sleep(ahead)
		}
	}
	took := time.Since(began)
	var sent uint64
	for _, m := range rooms {
		for _, l := range m.listeners {
			sent += l.Stats().Base.RTPBytesSent / 1128
		}
	}
	require.NotZero(b, sent)
	b.ReportMetric(float64(sent)/took.Seconds(), "forwarded/s")
	b.ReportMetric(float64(workerTime(b, w.PID())-before)/float64(sent)/1000, "CPU-µs/forwarded")
	b.ReportMetric(float64(workerTime(b, w.PID())-before)/float64(took), "cores")
	b.ReportMetric(float64(sent)/float64(i*len(rooms)*benchListeners), "delivered")
}

// workerTime is the CPU time of a process so far.
func workerTime(b *testing.B, pid int) time.Duration {
	var ts unix.Timespec
	clock := int32(^pid<<3 | 2) // the kernel's number for the CPU clock of a process (see clock_getcpuclockid(3))
	require.NoError(b, unix.ClockGettime(clock, &ts))
	return time.Duration(ts.Nano())
}
