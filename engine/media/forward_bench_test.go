package media_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/media"
	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
)

// traffic makes packets of one stream, as a peer does.
type traffic struct {
	template []byte
	seq      uint16
	now      unit.Time
}

func newTraffic(size int) *traffic {
	i := in{seq: 1, payload: append([]byte{}, vp8Key...), exts: []rtp.Extension{{ID: inMID, Value: []byte("0")}, {ID: inCapture, Value: make([]byte, 8)}}}
	b := i.bytes()
	return &traffic{template: append(b, make([]byte, size-len(b))...), now: unit.Time(time.Hour)}
}

func (g *traffic) next() *packet.Packet {
	b := packet.NewBuffer(len(g.template))
	n := copy(b.Space(), g.template)
	b.SetLen(n)
	g.seq++
	binary.BigEndian.PutUint16(b.Space()[2:], g.seq)
	binary.BigEndian.PutUint32(b.Space()[4:], uint32(g.seq)*300)
	g.now = g.now.Add(3333 * time.Microsecond)
	pkt := packet.New(b, g.now)
	if err := pkt.Parse(b.Bytes()); err != nil {
		panic(err)
	}
	return pkt
}

func TestForwardingDoesNotAllocate(t *testing.T) {
	r := videoRoom(t)
	g := newTraffic(1200)
	step := func() {
		pkt := g.next()
		_, forward := r.p.HandlePacket(g.now, pkt)
		require.True(t, forward)
		if r.c.WritePacket(g.now, pkt, r.dst[:]).Len == 0 {
			t.Fatal("not sent")
		}
		pkt.Release()
		if r.p.NextTimeout() <= g.now {
			r.p.HandleTimeout(g.now)
		}
	}
	for range 3000 { // the retransmission buffer has its size, pools are full
		step()
	}
	r.p.Output().Reset()
	require.Zero(t, testing.AllocsPerRun(500, step))
}

func TestRetransmittingDoesNotAllocate(t *testing.T) {
	r := videoRoom(t)
	o := r.one(in{seq: 1, payload: vp8Key})
	n := nackFor(outSSRC, o.SequenceNumber)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		r.now = r.now.Add(time.Second)
		r.c.HandleNACK(r.now, n)
		if r.c.WriteRetransmission(r.now, r.dst[:]).Len == 0 || r.c.WriteRetransmission(r.now, r.dst[:]).Len != 0 {
			t.Fatal("want one retransmission")
		}
	}))
}

// BenchmarkWritePacket is the cost per consumer of a forwarded packet, without encryption and sending, with a fiftieth of
// what the producer costs.
func BenchmarkWritePacket(b *testing.B) {
	for _, size := range []int{100, 1200} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			const consumers = 50
			r := videoRoom(b)
			cs := []*media.Consumer{r.c}
			for range consumers - 1 {
				c, err := newConsumer(consumeRequest("video/VP8", 90000))
				require.NoError(b, err)
				c.TransportConnected(r.now)
				cs = append(cs, c)
			}
			g := newTraffic(size)
			b.ReportAllocs()
			for n := 0; n < b.N; n += consumers {
				pkt := g.next()
				if _, forward := r.p.HandlePacket(g.now, pkt); !forward {
					b.Fatal("not forwarded")
				}
				for _, c := range cs {
					if c.WritePacket(g.now, pkt, r.dst[:]).Len == 0 {
						b.Fatal("not sent")
					}
				}
				pkt.Release()
			}
			for _, c := range cs[1:] {
				c.Close()
			}
		})
	}
}

// BenchmarkHandlePacket is the cost per producer of a received packet.
func BenchmarkHandlePacket(b *testing.B) {
	r := videoRoom(b)
	g := newTraffic(1200)
	b.ReportAllocs()
	for b.Loop() {
		pkt := g.next()
		r.p.HandlePacket(g.now, pkt)
		pkt.Release()
	}
}

// BenchmarkIdleConsumer reports the memory of a simple video consumer that has not sent anything. The request it was
// made from is not counted.
func BenchmarkIdleConsumer(b *testing.B) {
	req := consumeRequest("video/VP8", 90000)
	rng := rand.New(rand.NewPCG(1, 2))
	keep := make([]*media.Consumer, 0, b.N)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range b.N {
		c, err := media.NewConsumer(req, rng)
		require.NoError(b, err)
		keep = append(keep, c)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "B/consumer")
	runtime.KeepAlive(keep)
}
