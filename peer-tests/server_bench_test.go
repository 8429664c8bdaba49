package peers_test

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rawpeer"
)

// Sizes of packets, and the maximum number of rounds: no packet is sent twice, because the worker would drop it as replayed.
const (
	benchVideoLen         = 1100
	benchAudioLen         = 120
	benchSSRC             = 5000 // and above
	maxRoundsBehindPort   = 40_000
	maxRoundsOfConference = 2_000
)

// participant is a peer that sends, but never reads: the kernel drops what does not fit its socket's buffer.
type participant struct {
	*rawpeer.Peer
	transport    *app.Transport
	audio, video [][]byte
}

func enter(b *testing.B, r *app.Router, o app.Options) *participant {
	tr := r.NewTransport(o)
	p := &participant{Peer: rawpeer.New(b, tr), transport: tr}
	p.Connect(api.ProtocolUDP)
	p.Path().StopReading()
	return p
}

// stream returns n packets to send. Each packet of video begins a VP8 key frame (RFC 7741 section 4.2).
func (p *participant) stream(kind api.MediaKind, ssrc uint32, n int) (packets [][]byte) {
	pt, payload, step := uint8(app.OpusPayloadType), make([]byte, benchAudioLen), uint32(960)
	if kind == api.MediaKindVideo {
		pt, payload, step = app.VP8PayloadType, append([]byte{0x10}, bytes.Repeat([]byte{0}, benchVideoLen-1)...), 3000
	}
	for i := range n {
		packets = append(packets, p.ProtectRTP(&rtp.Packet{
			Header:  rtp.Header{Version: 2, PayloadType: pt, SSRC: ssrc, SequenceNumber: uint16(i), Timestamp: uint32(i) * step},
			Payload: payload,
		}))
	}
	return packets
}

// send sends the i-th packet of a stream.
func (p *participant) send(packets [][]byte, i int) {
	if i >= len(packets) {
		p.transport.TB().Fatal("too many rounds: see maxRoundsBehindPort and maxRoundsOfConference, and set -benchtime")
	}
	p.Path().Send(packets[i])
}

// measured is what a benchmark counts.
type measured struct {
	worker    *app.Router
	consumers []*app.Consumer
	cpu       time.Duration
	began     time.Time
}

func measure(b *testing.B, w *app.Router, consumers []*app.Consumer) *measured {
	return &measured{w, consumers, workerTime(b, w.PID()), time.Now()}
}

// report reports the packets forwarded per second, the CPU time per packet, and the share of the expected packets that were
// forwarded.
func (m *measured) report(b *testing.B, expected int) {
	took, cpu := time.Since(m.began), workerTime(b, m.worker.PID())-m.cpu
	var sent float64
	for _, c := range m.consumers {
		sent += float64(c.Sent())
	}
	require.NotZero(b, sent)
	b.ReportMetric(sent/took.Seconds(), "forwarded/s")
	b.ReportMetric(cpu.Seconds()*1e6/sent, "CPU-µs/forwarded")
	b.ReportMetric(cpu.Seconds()/took.Seconds(), "cores")
	b.ReportMetric(sent/float64(expected), "delivered")
}

func needWorkerBin(b *testing.B) {
	if os.Getenv("WORKER_BIN") == "" {
		b.Fatal("WORKER_BIN must be the worker to measure: the one that the tests build has the race detector")
	}
}

// BenchmarkRoomsBehindOnePort requires 480,000 forwarded packets a second: four rooms, each with one speaker and 15 listeners.
func BenchmarkRoomsBehindOnePort(b *testing.B) {
	needWorkerBin(b)
	const rooms, listeners, rate = 4, 15, 8000
	w := start(b)
	o := listenOn(w, true, api.ProtocolUDP)
	var speakers []*participant
	var consumers []*app.Consumer
	for range rooms {
		r := w.NewRouter()
		s := enter(b, r, o)
		p := s.transport.Produce(api.MediaKindVideo, benchSSRC)
		s.video = s.stream(api.MediaKindVideo, benchSSRC, maxRoundsBehindPort)
		speakers = append(speakers, s)
		for range listeners {
			l := enter(b, r, o)
			consumers = append(consumers, l.transport.Consume(p, benchSSRC))
		}
	}
	m, i := measure(b, w, consumers), 0
	for b.Loop() {
		for _, s := range speakers {
			s.send(s.video, i)
		}
		i++
		pause(m.began, i, rate)
	}
	m.report(b, i*rooms*listeners)
}

// BenchmarkConference is ten rooms of six peers, in real time: each peer sends audio (50 packets a second) and video (110
// packets a second, four at a time) to the five others.
func BenchmarkConference(b *testing.B) {
	needWorkerBin(b)
	const rooms, peers, ticks = 10, 6, 100 // ticks a second
	w := start(b)
	o := listenOn(w, true, api.ProtocolUDP)
	before := residentKB(b, w.PID())
	var all []*participant
	var consumers []*app.Consumer
	for range rooms {
		r := w.NewRouter()
		var room []*participant
		var audio, video []*app.Producer
		for range peers {
			p := enter(b, r, o)
			audio = append(audio, p.transport.Produce(api.MediaKindAudio, benchSSRC))
			video = append(video, p.transport.Produce(api.MediaKindVideo, benchSSRC+1))
			p.audio = p.stream(api.MediaKindAudio, benchSSRC, maxRoundsOfConference)
			p.video = p.stream(api.MediaKindVideo, benchSSRC+1, 2*maxRoundsOfConference)
			room = append(room, p)
		}
		for i, p := range room {
			for j := range room {
				if i != j {
					consumers = append(consumers, p.transport.Consume(audio[j], uint32(benchSSRC+2*j)),
						p.transport.Consume(video[j], uint32(benchSSRC+2*j+1)))
				}
			}
		}
		all = append(all, room...)
	}
	sent := 0
	m, tick := measure(b, w, consumers), 0
	for b.Loop() {
		for k, p := range all {
			if (tick+k)%2 == 0 {
				p.send(p.audio, (tick+k)/2)
				sent++
			}
			if due := (tick + k) * 110 / (4 * ticks); due != (tick+k+1)*110/(4*ticks) {
				for n := range 4 {
					p.send(p.video, 4*due+n)
					sent++
				}
			}
		}
		tick++
		pause(m.began, tick, ticks)
	}
	m.report(b, sent*(peers-1))
	b.ReportMetric(float64(residentKB(b, w.PID())-before)/float64(len(consumers)), "KB/consumer")
}

// pause waits until it is time for round i, of perSecond rounds a second. Late rounds run at once.
func pause(began time.Time, i, perSecond int) {
	if ahead := time.Duration(i)*time.Second/time.Duration(perSecond) - time.Since(began); ahead > time.Millisecond {
		time.Sleep(ahead)
	}
}

// residentKB is the resident memory of a process.
func residentKB(b *testing.B, pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	_, rest, found := strings.Cut(string(status), "VmRSS:")
	require.True(b, found)
	kB, err := strconv.Atoi(strings.Fields(rest)[0])
	require.NoError(b, err)
	return kB
}

// workerTime is the CPU time of a process so far.
func workerTime(b *testing.B, pid int) time.Duration {
	var ts unix.Timespec
	clock := int32(^pid<<3 | 2) // the kernel's number for the CPU clock of a process (see clock_getcpuclockid(3))
	require.NoError(b, unix.ClockGettime(clock, &ts))
	return time.Duration(ts.Nano())
}
