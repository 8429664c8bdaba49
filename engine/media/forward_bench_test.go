package media_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
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
	i := enginetest.Packet{Seq: 1, Payload: append([]byte{}, vp8Key...), Extensions: []rtp.Extension{{ID: inMID, Value: []byte("0")}, {ID: inCapture, Value: make([]byte, 8)}}}
	b := ofPeer(i).Bytes()
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
	r := videoFixture(t)
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
	r := videoFixture(t)
	o := r.one(enginetest.Packet{Seq: 1, Payload: vp8Key})
	n := enginetest.NACKFor(outSSRC, o.SequenceNumber)
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
			r := videoFixture(b)
			cs := []*media.Consumer{r.c}
			for range consumers - 1 {
				c, err := newConsumer(consumeRequest(enginetest.VP8))
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

// simulcastTraffic makes two packets of each of three streams per picture, in the pattern of temporal layers 0 2 1 2.
type simulcastTraffic struct {
	now  unit.Time
	n    int
	seq  [3]uint16
	data [3][]byte
}

func newSimulcastTraffic(size int) *simulcastTraffic {
	g := &simulcastTraffic{now: unit.Time(time.Hour)}
	for i := range g.data {
		g.data[i] = append(ofPeer(of(i, 0, 0, vp8(true, 0, 0, 0, true, false))).Bytes(), make([]byte, size)...)[:size]
	}
	return g
}

func (g *simulcastTraffic) next() *packet.Packet {
	i, picture, second := g.n%3, g.n/6, g.n/3%2 == 1
	g.n++
	b := packet.NewBuffer(len(g.data[i]))
	d := b.Space()
	b.SetLen(copy(d, g.data[i]))
	g.seq[i]++
	binary.BigEndian.PutUint16(d[2:], g.seq[i])
	binary.BigEndian.PutUint32(d[4:], uint32(picture)*3000)
	layer := [4]byte{0, 2, 1, 2}[picture%4]
	payload := d[len(ofPeer(of(i, 0, 0, nil)).Bytes()):]
	copy(payload, vp8(picture%100 == 0 && !second, picture&0x7fff, uint8(picture/4), layer, picture%4 < 3, false))
	if second {
		payload[0] &^= 0x10
	}
	g.now = g.now.Add(5555 * time.Microsecond)
	pkt := packet.New(b, g.now)
	if err := pkt.Parse(b.Bytes()); err != nil {
		panic(err)
	}
	return pkt
}

// TestChoosingLayersDoesNotAllocate drops temporal layers all the time and never changes the stream.
func TestChoosingLayersDoesNotAllocate(t *testing.T) {
	r := newFixture(t, simulcastProduceRequest(), simulcastConsumeRequest())
	r.c.SetPreferredLayers(r.now, prefer(0, 1))
	g := newSimulcastTraffic(1200)
	receive := func() (pkts [600]*packet.Packet) {
		for i := range pkts {
			pkts[i] = g.next()
			_, forward := r.p.HandlePacket(g.now, pkts[i])
			require.True(t, forward)
			r.now = g.now
			r.route()
		}
		return pkts
	}
	sent := 0
	write := func(pkts *[600]*packet.Packet) {
		for _, pkt := range pkts {
			if r.c.WritePacket(g.now, pkt, r.dst[:]).Len > 0 {
				sent++
			}
		}
	}
	for range 20 { // the retransmission buffer has its size, pools are full
		pkts := receive()
		write(&pkts)
		r.c.Output().Reset()
		for _, pkt := range pkts {
			pkt.Release()
		}
	}
	// All packets in one run, as AllocsPerRun rounds the average down; the first run is not counted.
	batches := [][600]*packet.Packet{receive(), receive()}
	sent = 0
	run := 0
	require.Zero(t, testing.AllocsPerRun(1, func() {
		write(&batches[run])
		run++
	}))
	require.Greater(t, sent, 100)
	require.Less(t, sent, 300)
	for _, pkts := range batches {
		for _, pkt := range pkts {
			pkt.Release()
		}
	}
}

// BenchmarkWriteLayers is the cost per received packet of a simulcast consumer that forwards two of three temporal layers
// of one of three streams.
func BenchmarkWriteLayers(b *testing.B) {
	r := newFixture(b, simulcastProduceRequest(), simulcastConsumeRequest())
	g := newSimulcastTraffic(1200)
	r.c.SetPreferredLayers(r.now, prefer(0, 1))
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		pkt := g.next()
		r.p.HandlePacket(g.now, pkt)
		r.now = g.now
		r.route()
		b.StartTimer()
		r.c.WritePacket(g.now, pkt, r.dst[:])
		pkt.Release()
	}
}

// BenchmarkHandlePacket is the cost per producer of a received packet.
func BenchmarkHandlePacket(b *testing.B) {
	r := videoFixture(b)
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
	req := consumeRequest(enginetest.VP8)
	rng := rand.New(rand.NewPCG(1, 2))
	keep := make([]*media.Consumer, 0, b.N)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range b.N {
		c, err := media.NewConsumer(req, api.Compat{}, rng)
		require.NoError(b, err)
		keep = append(keep, c)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(b.N), "B/consumer")
	runtime.KeepAlive(keep)
}
