package rtpstream

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/packet"
	"gazpacho/engine/unit"
)

func testPacket() *packet.Packet {
	return packet.New(packet.NewBuffer(packet.SmallSize), 0)
}

// put is a packet that goes into the buffer.
type put struct {
	seq unit.SeqNo
	ts  unit.Timestamp
}

// content lists the slots of the buffer; ts 0 is a blank one.
func content(b *buffer) (list []put) {
	for i := range b.n {
		list = append(list, put{b.first + unit.SeqNo(i), b.at(i).ts})
		if b.at(i).pkt == nil {
			list[i].ts = 0
		}
	}
	return list
}

func TestBuffer(t *testing.T) {
	const tooOld = 1000000003 - 2*90000 - 100
	for _, c := range []struct {
		name      string
		max       int
		in, holds []put
	}{
		{
			"in order", 4,
			[]put{{10001, 1000000000}, {10002, 1000000000}, {10003, 1000000200}, {10004, 1000000200}},
			[]put{{10001, 1000000000}, {10002, 1000000000}, {10003, 1000000200}, {10004, 1000000200}},
		},
		{
			"out of order", 4,
			[]put{{20004, 2000000200}, {20001, 2000000000}, {20003, 2000000200}, {20002, 2000000000}},
			[]put{{20001, 2000000000}, {20002, 2000000000}, {20003, 2000000200}, {20004, 2000000200}},
		},
		{
			"across the wraps of both", 4,
			[]put{{65535, 1<<32 - 1}, {1, 90}, {65534, 1<<32 - 1}, {0, 1<<32 - 1}},
			[]put{{65534, 1<<32 - 1}, {65535, 1<<32 - 1}, {0, 1<<32 - 1}, {1, 90}},
		},
		{
			"too far ahead empties", 4,
			[]put{{30001, 3000000000}, {30002, 3000000000}, {30003, 3000000200}, {40000, 3000003000}},
			[]put{{40000, 3000003000}},
		},
		{
			"the oldest make room", 4,
			[]put{{1, 1000}, {3, 1000}, {4, 1000}, {6, 1000}},
			[]put{{3, 1000}, {4, 1000}, {5, 0}, {6, 1000}},
		},
		{
			"blank slots", 10,
			[]put{{40002, 4000000002}, {40003, 4000000001}, {40004, 4000000004}, {40002, 4000000002}, {40008, 4000000008}, {40006, 4000000006}, {40000, 4000000000}},
			[]put{{40000, 4000000000}, {40001, 0}, {40002, 4000000002}, {40003, 0}, {40004, 4000000004}, {40005, 0}, {40006, 4000000006}, {40007, 0}, {40008, 4000000008}},
		},
		{
			"timestamps out of order between neighbours", 10,
			[]put{{1, 1000}, {5, 2000}, {6, 3000}, {3, 500}, {3, 2500}, {3, 1500}, {2, 1600}, {4, 1400}, {3, 1500}},
			[]put{{1, 1000}, {2, 0}, {3, 1500}, {4, 0}, {5, 2000}, {6, 3000}},
		},
		{
			"too far back", 4,
			[]put{{10001, 1000000001}, {10002, 1000000002}, {10003, 1000000003}, {9999, 1000000000}},
			[]put{{10001, 1000000001}, {10002, 1000000002}, {10003, 1000000003}},
		},
		{
			"exactly half the number space away", 4,
			[]put{{0, 1000}, {32768, 1000}},
			[]put{{0, 1000}},
		},
		{
			"too old", 4,
			[]put{{10001, 1000000001}, {10002, 1000000002}, {10003, 1000000003}, {10000, tooOld}},
			[]put{{10001, 1000000001}, {10002, 1000000002}, {10003, 1000000003}},
		},
		{
			"older by number, newer than the oldest by time", 4,
			[]put{{10001, 1000}, {10002, 2000}, {10000, 1500}},
			[]put{{10001, 1000}, {10002, 2000}},
		},
		{
			"older by number, newest by time", 4,
			[]put{{33331, 1000000001}, {33332, 1000000002}, {33330, 1000000003}},
			[]put{{33330, 1000000003}},
		},
		{
			"issue 1037", 4,
			[]put{{24816, 1024930187}, {24980, 1025106407}, {18365, 1026593387}},
			[]put{{18365, 1026593387}},
		},
		{
			"issue 1027", 2500,
			[]put{{12645, 828702743}, {33998, 2228092928}, {33998, 2228092928}},
			[]put{{33998, 2228092928}},
		},
		{
			"old ones go with blank slots", 10,
			[]put{{1, 1000}, {4, 100000}, {5, 190000}},
			[]put{{4, 100000}, {5, 190000}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuffer(2*time.Second, 90000)
			b.maxItems = c.max
			pkt := testPacket()
			for _, p := range c.in {
				b.insert(p.seq, stored{pkt: pkt, ts: p.ts})
			}
			require.Equal(t, c.holds, content(b))
			b.clear()
			require.Empty(t, content(b))
			pkt.Release()
			require.Panics(t, pkt.Retain, "the buffer has given all references back")
		})
	}
}

// TestBufferHoldsWhatItSays fills a buffer with a lossy, reordered stream and checks it against a map.
func TestBufferHoldsWhatItSays(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 5))
			b := newBuffer(2*time.Second, 90000)
			b.maxItems = 200
			pkt := testPacket()
			kept := map[unit.SeqNo]unit.Timestamp{}
			next := rng.IntN(1 << 20)
			for i := range 10000 {
				next += 1 + rng.IntN(2)*rng.IntN(4)
				if rng.IntN(2000) == 0 {
					next += rng.IntN(5000)
				}
				n := next - rng.IntN(2)*rng.IntN(30)
				seq, ts := unit.SeqNo(n), unit.Timestamp(n*2000)
				held := b.get(seq) != nil
				if b.insert(seq, stored{pkt: pkt, ts: ts, rewrite: uint64(n)}) {
					require.False(t, held)
					kept[seq] = ts
				}
				require.LessOrEqual(t, b.n, 200)
				require.NotNil(t, b.newest().pkt)
				require.NotNil(t, b.at(0).pkt)
				if i%100 != 0 {
					continue
				}
				for seq, ts := range kept {
					s := b.get(seq)
					if s == nil {
						require.True(t, seq.Before(b.first) || b.tooOld(ts, b.newest().ts), "%d", seq)
						delete(kept, seq)
						continue
					}
					require.Equal(t, ts, s.ts)
				}
			}
			b.clear()
			pkt.Release()
		})
	}
}

func TestBufferMemory(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(stored{}), uintptr(24))
	b := newBuffer(2*time.Second, 90000)
	pkt := testPacket()
	fill := func(from, n, perSecond int) {
		for i := range n {
			require.True(t, b.insert(unit.SeqNo(from+i), stored{pkt: pkt, ts: unit.Timestamp((from + i) * 90000 / perSecond)}))
		}
	}
	fill(0, 10000, 300)
	require.Equal(t, 601, b.n, "two seconds")
	require.LessOrEqual(t, len(b.ring)*int(unsafe.Sizeof(stored{})), 20<<10)
	b.clear()
	require.Nil(t, b.ring)
	fill(0, 6000, 2000)
	require.Equal(t, maxBufferItems, b.n)
	require.Len(t, b.ring, maxBufferItems)
	b.clear()
	fill(0, 2000, 1000)
	large := len(b.ring)
	for i := range 100 { // the stream slows down to 10 packets per second
		b.insert(unit.SeqNo(2000+i), stored{pkt: pkt, ts: unit.Timestamp(2*90000 + i*9000)})
	}
	require.Less(t, len(b.ring), large/4)
	require.Equal(t, 21, b.n)
	b.clear()
	pkt.Release()
}

func TestBufferWithoutClockRateIsBoundedByItems(t *testing.T) {
	b := newBuffer(2*time.Second, 0)
	pkt := testPacket()
	for i := range 5000 {
		b.insert(unit.SeqNo(i), stored{pkt: pkt, ts: unit.Timestamp(i * 100000)})
	}
	require.Equal(t, maxBufferItems, b.n)
	b.clear()
	pkt.Release()
}
