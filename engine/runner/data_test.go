package runner_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/shard"
)

// dataHall has a data producer of the application on one shard, and two data consumers on each of three shards.
type dataHall struct {
	*fixture
	between   *socket // of a transport that a router closes after the consumers' and before the producer's
	consumers []string
	sent      []string
}

func newDataHall(t *testing.T) *dataHall {
	h := &dataHall{fixture: newFixture(t, 3)}
	for i := range 6 {
		h.directOn(i%3, fmt.Sprint("out", i))
	}
	h.between = h.plainOn(2, "between")
	h.directOn(0, "in")
	h.Must("in", api.MethodTransportProduceData, &api.TransportProduceDataRequest{DataProducerID: "p", Type: api.DataProducerTypeDirect})
	for i := range 6 {
		h.consume(i)
	}
	return h
}

func (h *dataHall) consume(i int) {
	h.t.Helper()
	id := fmt.Sprint("c", i)
	h.Must(fmt.Sprint("out", i), api.MethodTransportConsumeData, &api.TransportConsumeDataRequest{
		DataConsumerID: id, DataProducerID: "p", Type: api.DataConsumerTypeDirect,
	})
	h.consumers = append(h.consumers, id)
}

// send sends a message of the application.
func (h *dataHall) send(data string) { h.sendPadded(data, len(data)) }

// sendPadded sends a message with spaces up to the given size.
func (h *dataHall) sendPadded(data string, size int) {
	h.t.Helper()
	h.sent = append(h.sent, data)
	padded := bytes.Repeat([]byte{' '}, size)
	copy(padded, data)
	h.notify("p", api.EventDataProducerSend, &api.DataProducerSendNotification{PPID: 51, Data: padded})
}

func (h *dataHall) received(id string) (list []string) {
	for _, n := range h.notified(id, api.EventDataConsumerMessage) {
		list = append(list, n.data)
	}
	return list
}

func TestMessagesKeepTheirOrderOnTheWayToOtherShards(t *testing.T) {
	h := newDataHall(t)
	for i := range 5000 {
		h.send(fmt.Sprint(i))
		if i%shard.MaxDroppable == shard.MaxDroppable-1 {
			h.settle() // more than that may be refused
		}
	}
	h.settle()
	for _, id := range h.consumers {
		require.Equal(t, h.sent, h.received(id))
	}
}

// A shard that is busy takes as many messages as it may, and refuses the others for itself alone.
func TestMessagesForABusyShardAreBounded(t *testing.T) {
	const excess = 20
	for name, test := range map[string]struct{ size, fit int }{
		"number": {4, shard.MaxDroppable},
		"bytes":  {1 << 20, shard.MaxDroppableBytes >> 20},
	} {
		t.Run(name, func(t *testing.T) {
			h := newDataHall(t)
			busy, other := h.runner.Shards()[1], h.runner.Shards()[2]
			now := busy.Enter()
			for i := range test.fit + excess {
				h.sendPadded(fmt.Sprint(i), test.size)
				if i%16 == 0 { // the other one has time
					other.Leave(other.Enter())
				}
			}
			busy.Leave(now)
			h.settle()
			for i, id := range h.consumers {
				want := h.sent
				if i%3 == 1 {
					want = want[:test.fit]
				}
				require.Equal(t, want, h.received(id), id)
			}
			require.EqualValues(t, excess, busy.Dropped())
			require.Zero(t, other.Dropped())
			h.send("again")
			h.settle()
			for _, id := range h.consumers {
				got := h.received(id)
				require.Equal(t, "again", got[len(got)-1])
			}
		})
	}
}

// Messages are under way when something closes: they arrive before that, and none after it.
func TestMessagesUnderWayWhenSomethingCloses(t *testing.T) {
	closed := notified{event: api.EventDataConsumerDataProducerClose}
	for name, test := range map[string]struct {
		end  func(h *dataHall)
		told bool // the application is told of each consumer
	}{
		"data producer": {func(h *dataHall) {
			h.Must("in", api.MethodTransportCloseDataProducer, &api.TransportCloseDataProducerRequest{DataProducerID: "p"})
		}, true},
		"its transport": {func(h *dataHall) { h.CloseTransport("r", "in") }, true},
		"data consumers": {func(h *dataHall) {
			for i, id := range h.consumers {
				h.Must(fmt.Sprint("out", i), api.MethodTransportCloseDataConsumer, &api.TransportCloseDataConsumerRequest{DataConsumerID: id})
			}
		}, false},
		"their transports": {func(h *dataHall) {
			for i := range h.consumers {
				h.CloseTransport("r", fmt.Sprint("out", i))
			}
		}, false},
		"router": {func(h *dataHall) {
			h.between.OnClose = func() { h.send("late") }
			h.router.Close()
			h.sent = h.sent[:500]
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newDataHall(t)
			busy := h.runner.Shards()[1]
			now := busy.Enter()
			for i := range 500 {
				h.send(fmt.Sprint(i))
			}
			if test.told {
				h.OnEmit(func(n *api.Notification) { // while the first consumers are gone and the last are not
					if n.HandlerID == "c2" && n.Event == closed.event {
						h.send("last")
					}
				})
			}
			ended := make(chan struct{})
			go func() { defer close(ended); test.end(h) }()
			busy.Leave(now)
			<-ended
			h.settle()
			for _, id := range h.consumers {
				want := h.sent
				if test.told {
					want = want[:500] // the end of the data producer ended the delivery to all of them
				}
				require.Equal(t, want, h.received(id), id)
				all := h.notified(id)
				if !test.told {
					require.Len(t, all, len(want), "the application knows")
					continue
				}
				require.Len(t, all, len(want)+1)
				require.Equal(t, notified{id: id, event: closed.event}, all[len(want)], "the last that is told, and once")
			}
			h.end()
			require.Empty(t, h.logged())
		})
	}
}
