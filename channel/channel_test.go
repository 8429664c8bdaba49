package channel_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/channel"
	"gazpacho/engine/api"
)

func TestResponses(t *testing.T) {
	dump := &api.WorkerDumpResponse{
		PID: 7, RouterIDs: []string{"r"}, ChannelMessageHandlers: &api.ChannelMessageHandlers{},
	}
	for name, c := range map[string]struct {
		body api.ResponseBody
		err  error
		want api.Response
	}{
		"accepted":      {want: api.Response{Accepted: true}},
		"with body":     {body: dump, want: api.Response{Accepted: true, Body: dump}},
		"TypeError":     {err: api.TypeErrorf("a"), want: api.Response{Error: "TypeError", Reason: "a"}},
		"NotFoundError": {err: api.NotFoundErrorf("b"), want: api.Response{Error: "NotFoundError", Reason: "b"}},
		"Error":         {err: api.Errorf("c"), want: api.Response{Error: "Error", Reason: "c"}},
		"plain error":   {err: errors.New("d"), want: api.Response{Error: "Error", Reason: "d"}},
		"wrapped": {
			err:  fmt.Errorf("e: %w", api.TypeErrorf("f")),
			want: api.Response{Error: "TypeError", Reason: "e: f"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorker()
			var got *api.Request
			w.request = func(req *api.Request, reply func(api.ResponseBody, error)) {
				got = req
				reply(c.body, c.err)
			}
			a := start(t, w)
			sent := &api.Request{
				ID: 9, Method: api.MethodWorkerCreateRouter, HandlerID: "h",
				Body: &api.WorkerCreateRouterRequest{RouterID: "r"},
			}
			a.send(sent)
			c.want.ID = 9
			require.Equal(t, &c.want, a.read())
			require.Equal(t, sent, got)
		})
	}
}

func TestNotificationsOfTheApplication(t *testing.T) {
	w := newWorker()
	got := make(chan string, 10)
	w.notify = func(n *api.Notification) error {
		got <- n.HandlerID
		switch n.HandlerID {
		case "bad":
			return api.NotFoundErrorf("no such handler")
		case "worse":
			panic("oh dear")
		}
		return nil
	}
	a := start(t, w)
	for _, id := range []string{"good", "bad", "worse", "last"} {
		a.send(&api.Notification{
			HandlerID: id, Event: api.EventProducerSend, Body: &api.ProducerSendNotification{Data: []byte{1}},
		})
		require.Equal(t, id, <-got)
	}
	require.Equal(t, "Enotification failed [event:PRODUCER_SEND, error:no such handler]", a.log())
	line := a.log()
	require.Contains(t, line, "handlerId:worse, panic:oh dear, stack:")
	require.Contains(t, line, "channel_test.go")
}

func TestFramesInPieces(t *testing.T) {
	a := start(t, newWorker())
	var all []byte
	for id := uint32(1); id <= 3; id++ {
		all = append(all, a.frame(&api.Request{ID: id, Method: api.MethodWorkerDump})...)
	}
	expect := func() {
		for id := uint32(1); id <= 3; id++ {
			require.Equal(t, id, a.response().ID)
		}
	}
	t.Run("coalesced", func(*testing.T) {
		a.write(all)
		expect()
	})
	t.Run("byte by byte", func(*testing.T) {
		for i := range all {
			a.write(all[i : i+1])
		}
		expect()
	})
	t.Run("cut anywhere", func(*testing.T) {
		for cut := range all {
			a.write(all[:cut])
			a.write(all[cut:])
			expect()
		}
	})
}

func TestLargeFrames(t *testing.T) {
	w := newWorker()
	sizes := make(chan int, 2)
	w.notify = func(n *api.Notification) error {
		sizes <- len(n.Body.(*api.ProducerSendNotification).Data)
		return nil
	}
	a := start(t, w)
	overhead := len(a.frame(producerSend(0)))
	for _, size := range []int{channel.MaxMessageLen - overhead - 8, 100, 70_000} {
		a.send(producerSend(size))
		require.Equal(t, size, <-sizes)
	}
	a.stillWorks(1)
}

func producerSend(size int) *api.Notification {
	return &api.Notification{
		HandlerID: "p", Event: api.EventProducerSend, Body: &api.ProducerSendNotification{Data: make([]byte, size)},
	}
}

func TestTooLongFrameEndsTheChannel(t *testing.T) {
	for size, compat := range map[uint32]api.Compat{
		channel.MaxPayloadLen + 1: {SmallFrames: true}, 1 << 31: {}, 1<<32 - 1: {},
	} {
		w := newWorker()
		a := setup(t, func(o *channel.Options) { o.CloseTime, o.Compat = patience, compat })
		a.serve(w)
		a.send(&api.Request{ID: 1})
		a.write(binary.LittleEndian.AppendUint32(nil, size))
		require.ErrorIs(t, a.end(), channel.ErrFrameTooLong)
		closed(t, w.closed)
		require.Equal(t, uint32(1), a.response().ID)
		require.Contains(t, a.log(), fmt.Sprintf("out of step, nothing after this can be understood: frame too long: %d bytes", size))
	}
}

func TestGarbageIsDiscarded(t *testing.T) {
	a := start(t, newWorker())
	require.NoError(t, a.settings.SetLogLevel("none"))
	valid := a.frame(&api.Request{
		ID: 77, Method: api.MethodWorkerCreateRouter, HandlerID: "handler",
		Body: &api.WorkerCreateRouterRequest{RouterID: "router"},
	})[4:]
	for cut := range valid {
		a.write(binary.LittleEndian.AppendUint32(nil, uint32(cut)))
		a.write(valid[:cut])
	}
	for i := range valid {
		broken := append([]byte(nil), valid...)
		broken[i] ^= 0xff
		a.write(binary.LittleEndian.AppendUint32(nil, uint32(len(broken))))
		a.write(broken)
	}
	a.stillWorks(1)
}

func TestGarbageIsLogged(t *testing.T) {
	a := start(t, newWorker())
	a.write([]byte{0, 0, 0, 0})
	require.Contains(t, a.log(), "Emessage discarded [bytes:0, error:")
	a.write([]byte("\x05\x00\x00\x00hello"))
	require.Contains(t, a.log(), "Emessage discarded [bytes:5, error:")
	a.send(&api.Log{Data: "x"})
	require.Contains(t, a.log(), "error:neither a request nor a notification]")
	a.stillWorks(1)
}

func TestRequestsThatCannotBeDecodedAreAnswered(t *testing.T) {
	a := start(t, newWorker())
	frame := a.frame(&api.Request{ID: 5, Method: api.MethodRTPObserverRemoveProducer, HandlerID: "h"})
	method := byte(api.MethodRTPObserverRemoveProducer)
	at := strings.IndexByte(string(frame), method)
	require.Equal(t, at, strings.LastIndexByte(string(frame), method), "the method must be the only byte of its value")
	frame[at] = 250
	a.write(frame)
	require.Equal(t, &api.Response{ID: 5, Error: "Error", Reason: "unknown method"}, a.response())
	a.stillWorks(1)
}

func TestPanicRefusesTheRequest(t *testing.T) {
	w := newWorker()
	w.request = func(req *api.Request, reply func(api.ResponseBody, error)) {
		if req.ID == 1 {
			panic("lost my marbles")
		}
		reply(nil, nil)
	}
	a := start(t, w)
	a.send(&api.Request{ID: 1, Method: api.MethodRouterDump, HandlerID: "r"})
	line := a.log()
	require.Contains(t, line, "Epanic while a request was handled [method:ROUTER_DUMP, id:1, handlerId:r, panic:lost my marbles, stack:")
	require.Contains(t, line, "channel_test.go")
	require.Equal(t,
		&api.Response{ID: 1, Error: "Error", Reason: "internal error: lost my marbles [method:ROUTER_DUMP]"}, a.response())
	a.stillWorks(2)
}

func TestSecondAnswerIsRefused(t *testing.T) {
	w := newWorker()
	var early func(api.ResponseBody, error)
	w.request = func(req *api.Request, reply func(api.ResponseBody, error)) {
		switch req.ID {
		case 1:
			early = reply
		case 2:
			reply(nil, nil)
			reply(nil, errors.New("again"))
			early(nil, nil)
			early(nil, errors.New("again"))
		}
	}
	a := start(t, w)
	a.send(&api.Request{ID: 1})
	a.send(&api.Request{ID: 2})
	require.Equal(t, &api.Response{ID: 2, Accepted: true}, a.read())
	require.Equal(t, "Erequest answered twice [method:WORKER_DUMP, id:2]", a.log())
	require.Equal(t, &api.Response{ID: 1, Accepted: true}, a.read())
	require.Equal(t, "Erequest answered twice [method:WORKER_DUMP, id:1]", a.log())
}
