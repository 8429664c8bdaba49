package runner_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/router"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
)

// room is a router with a producer and its consumers.
type room struct {
	id     string
	router *router.Router
	in     *socket
	outs   []*socket
}

func (r *fixture) newRoom(id string, consumers int) *room {
	m := &room{id: id, router: r.newRouter(id)}
	m.in = r.plainIn(id, id+"-in")
	r.produce(id+"-in", id+"-p")
	for i := range consumers {
		out := fmt.Sprint(id, "-out", i)
		m.outs = append(m.outs, r.plainIn(id, out))
		r.consume(out, out+"-c", id+"-p")
	}
	return m
}

// A thousand rooms, of which ten are so large that they use all four shards, receive media at the same time, while requests
// close every third of them. Each peer gets what belongs to its room, and all of it.
func TestAThousandRooms(t *testing.T) {
	const rooms, batches, each, readers = 1000, 4, 3, 4
	r := newFixture(t, 4)
	list := make([]*room, rooms)
	for i := range list {
		consumers := 1
		if i%100 == 50 {
			consumers = 70
		}
		list[i] = r.newRoom(fmt.Sprint("room", i), consumers)
	}
	var group sync.WaitGroup
	for reader := range readers {
		group.Go(func() {
			for batch := range batches {
				for i := reader; i < rooms; i += readers {
					var packets [][]byte
					for j := range each {
						packets = append(packets, append(keyFrame(unit.SeqNo(batch*each+j)), list[i].id...))
					}
					list[i].in.receive(packets...)
				}
			}
		})
	}
	for i := 0; i < rooms; i += 3 {
		list[i].router.Close()
	}
	group.Wait()
	r.settle()
	for i, m := range list {
		for _, out := range m.outs {
			media := enginetest.RTPOf(t, out.Take())
			for _, pkt := range media {
				require.True(t, bytes.HasSuffix(pkt.Data, append(bytes.Clone(enginetest.VP8KeyFrame), m.id...)), "another room's packet")
			}
			if i%3 != 0 {
				require.Len(t, media, batches*each)
			}
		}
		if i%3 != 0 {
			m.router.Close()
		}
	}
	require.Zero(t, r.runner.ArmedTimers())
	require.Equal(t, []string{"r"}, r.reg.IDs(false))
	r.requireAllReleased()
}

// extensions are the header extensions of the sender's packets, each with its id, and of those that consumers send.
var extensions = []api.RTPHeaderExtensionParameters{
	{URI: api.RTPHeaderExtensionURIMid, ID: 1},
	{URI: api.RTPHeaderExtensionURIAbsSendTime, ID: 2},
	{URI: api.RTPHeaderExtensionURIVideoOrientation, ID: 3},
	{URI: api.RTPHeaderExtensionURIPlayoutDelay, ID: 4},
	{URI: api.RTPHeaderExtensionURIAbsCaptureTime, ID: 5},
}

// allBytes forwards the same packets to many consumers in a runner with the given number of shards. It returns what each
// of them was sent, also again after a NACK, with sequence numbers counted from the first, for those begin at random.
func allBytes(t *testing.T, shards, consumers int) (all [][][]byte) {
	r := newFixture(t, shards)
	in := r.plain("in")
	r.Produce("in", "p", enginetest.Stream{Codec: enginetest.VP8, SSRC: 10, MID: "mid", Extensions: extensions})
	var outs []*socket
	for i := range consumers {
		id := fmt.Sprint("out", i)
		outs = append(outs, r.plain(id))
		r.ConsumeAs(id, "c-"+id, "p", enginetest.Stream{Codec: enginetest.VP8, SSRC: 20, MID: "other", Extensions: extensions})
	}
	require.NotContains(t, r.runner.Transports(), 0, "all shards are used")
	rng := rand.New(rand.NewPCG(1, 2))
	seq := unit.SeqNo(65500) // it wraps
	for batch := range 20 {
		var packets [][]byte
		for i := range 1 + rng.IntN(6) {
			orientation := []byte{byte(batch % 4)}
			payload := bytes.Clone(enginetest.VP8KeyFrame)
			for range rng.IntN(1200) {
				payload = append(payload, byte(rng.Uint32()))
			}
			packets = append(packets, enginetest.Packet{
				SSRC: 10, Seq: seq, Timestamp: unit.Timestamp(batch * 3000), Marker: i == 0, Extensions: []rtp.Extension{
					{ID: 1, Value: []byte("mid")},
					{ID: 2, Value: []byte{1, 2, 3}},
					{ID: 3, Value: orientation},
					{ID: 4, Value: []byte{1, 2, byte(i)}},
					{ID: 5, Value: []byte{0xe0, 0, 0, byte(batch), 0, 0, 0, 0}},
				}, Payload: payload,
			}.Bytes())
			seq++
		}
		in.receive(packets...)
	}
	r.settle()
	for _, out := range outs {
		out.receive(nack(out.first(t)))
	}
	r.settle()
	for _, out := range outs {
		all = append(all, out.numbered(t))
	}
	return all
}

// first returns the sequence number of the first packet that was sent.
func (s *socket) first(t *testing.T) unit.SeqNo {
	t.Helper()
	sent := s.Sent()
	require.NotEmpty(t, sent)
	return enginetest.ParseRTP(t, sent[0]).SequenceNumber
}

// numbered returns the RTP packets that were sent, with sequence numbers counted from the first.
func (s *socket) numbered(t *testing.T) (list [][]byte) {
	t.Helper()
	first := s.first(t)
	for _, b := range s.Take() {
		if !rtcp.LooksLikeRTCP(b) {
			binary.BigEndian.PutUint16(b[2:], binary.BigEndian.Uint16(b[2:])-uint16(first))
			list = append(list, b)
		}
	}
	return list
}

// nack asks for seven packets from the given one on.
func nack(from unit.SeqNo) []byte {
	var seqs []unit.SeqNo
	for i := range unit.SeqNo(7) {
		seqs = append(seqs, from+i)
	}
	return enginetest.MarshalRTCP(enginetest.NACKFor(consumedSSRC, seqs...))
}

// Consumers on other shards than their producer's send the same bytes as those on the same.
func TestTheShardMakesNoDifferenceToTheBytes(t *testing.T) {
	const consumers = 70
	one, many := allBytes(t, 1, consumers), allBytes(t, 4, consumers)
	want := one[0]
	again := 0
	for i, b := range want {
		for _, earlier := range want[:i] {
			if bytes.Equal(b, earlier) {
				again++
			}
		}
	}
	require.Equal(t, 7, again, "the retransmissions are among them")
	for i := range consumers {
		require.Equal(t, want, one[i], "one shard, consumer %d", i)
		require.Equal(t, want, many[i], "four shards, consumer %d", i)
	}
}
