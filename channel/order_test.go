package channel_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/channel"
	"gazpacho/engine/api"
)

// TestPipelinedRequestsOfASlowReader sends thousands of requests before it reads a single answer.
func TestPipelinedRequestsOfASlowReader(t *testing.T) {
	const requests = 20_000
	w := newWorker()
	body := &api.WorkerDumpResponse{
		RouterIDs: []string{strings.Repeat("r", 500)}, ChannelMessageHandlers: &api.ChannelMessageHandlers{},
	}
	handled := 0
	w.request = func(_ *api.Request, reply func(api.ResponseBody, error)) {
		handled++
		reply(body, nil)
	}
	a := start(t, w)
	sent := make(chan struct{})
	frame := a.dialect.NewEncoder()
	go func() {
		defer close(sent)
		for id := uint32(1); id <= requests; id++ {
			b, err := frame.AppendMessage(nil, &api.Request{ID: id})
			if err == nil {
				_, err = a.to.Write(b)
			}
			if err != nil {
				t.Errorf("write: %v", err)
				return
			}
		}
	}()
	for id := uint32(1); id <= requests; id++ {
		require.Equal(t, id, a.response().ID)
	}
	closed(t, sent)
}

// TestControlLoopWaitsForTheReader: without a reader, the channel holds a bounded number of answers.
func TestControlLoopWaitsForTheReader(t *testing.T) {
	w := newWorker()
	body := &api.WorkerDumpResponse{
		RouterIDs: []string{strings.Repeat("r", 100_000)}, ChannelMessageHandlers: &api.ChannelMessageHandlers{},
	}
	const requests = 300
	w.request = func(_ *api.Request, reply func(api.ResponseBody, error)) { reply(body, nil) }
	a := startNarrow(t, w)
	for id := uint32(1); id <= requests; id++ {
		a.send(&api.Request{ID: id})
	}
	for id := uint32(1); id <= requests; id++ {
		require.Less(t, a.ch.Queued(), 21<<20)
		require.Equal(t, id, a.response().ID)
	}
}

func TestMediaIsDroppedBeforeState(t *testing.T) {
	a := startNarrow(t, newWorker())
	rtp := &api.Notification{
		HandlerID: "c", Event: api.EventConsumerRTP, Body: &api.ConsumerRTPNotification{Data: make([]byte, 1000)},
	}
	state := &api.Notification{HandlerID: "c", Event: api.EventConsumerProducerPause}
	const rounds = 20_000
	require.NoError(t, a.settings.SetLogLevel("warn"))
	for range rounds {
		a.ch.Emit(rtp)
		a.ch.Emit(state)
		a.ch.Logger().Error("something")
	}
	media, states, logs := 0, 0, 0
	var reported string
	for reported == "" {
		switch m := a.read().(type) {
		case *api.Notification:
			if m.Event == api.EventConsumerRTP {
				media++
			} else {
				states++
			}
		case *api.Log:
			if m.Data == "Esomething" {
				logs++
			} else {
				reported = m.Data
			}
		}
	}
	require.Equal(t, rounds, states)
	require.Less(t, media, rounds/2)
	require.Positive(t, media)
	require.Equal(t, fmt.Sprintf("Emessages dropped because the application reads slowly [media:%d, data:0, logs:%d, notifications:0, of:c]",
		rounds-media, rounds-logs), reported)
	a.stillWorks(1)
}

// TestDataIsKeptLongerThanMedia lets an application read nothing: what data channels promised to deliver waits, up to a limit
// at which requests are still handled.
func TestDataIsKeptLongerThanMedia(t *testing.T) {
	a := startNarrow(t, newWorker())
	message := &api.Notification{
		HandlerID: "c", Event: api.EventDataConsumerMessage, Body: &api.DataConsumerMessageNotification{Data: make([]byte, 100_000)},
	}
	require.NoError(t, a.settings.SetLogLevel("warn"))
	for range 300 {
		a.ch.Emit(message)
	}
	require.Greater(t, a.ch.Queued(), 15<<20)
	require.Less(t, a.ch.Queued(), 17<<20)
	messages, reported := 0, ""
	for reported == "" {
		switch m := a.read().(type) {
		case *api.Notification:
			messages++
		case *api.Log:
			reported = m.Data
		}
	}
	require.Greater(t, messages, 150)
	require.Equal(t, fmt.Sprintf("Emessages dropped because the application reads slowly [media:0, data:%d, logs:0, notifications:0, of:c]",
		300-messages), reported)
	a.stillWorks(1)
}

func TestStateIsBoundedToo(t *testing.T) {
	a := startNarrow(t, newWorker())
	state := &api.Notification{
		HandlerID: strings.Repeat("x", 1<<20), Event: api.EventConsumerProducerPause,
	}
	for range 100 {
		a.ch.Emit(state)
	}
	require.Less(t, a.ch.Queued(), 66<<20)
	require.NoError(t, a.settings.SetLogLevel("warn"))
	require.Regexp(t, `dropped .*media:0, data:0, logs:0, notifications:3\d, of:x`, a.log())
}

// Lone requests are answered by the control loop itself, as far as the stream takes the answer; the rest, and everything for
// a stream that is no file descriptor, is the writer's. The application sees no difference.
func TestLoneRequestsAreAnsweredWhateverTheStreamTakes(t *testing.T) {
	for name, change := range map[string]func(*channel.Options){
		"descriptor": nil,
		"stream":     func(o *channel.Options) { o.Out = struct{ io.Writer }{o.Out} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorker()
			w.request = func(_ *api.Request, reply func(api.ResponseBody, error)) {
				reply(nil, errors.New(strings.Repeat("x", 30<<10)))
			}
			a := setup(t, change)
			a.serve(w)
			// The pipe holds 64 KiB: the third answer does not fit, and its rest must come before the next one.
			handled := uint32(0)
			for id := uint32(1); id <= 200; id++ {
				a.send(&api.Request{ID: id, Method: api.MethodWorkerDump})
				if id%5 == 0 {
					for ; handled < id; handled++ {
						require.Equal(t, handled+1, a.response().ID)
					}
				}
			}
			require.EqualValues(t, 200, handled)
		})
	}
}

// TestAStreamThatCanOnlyWait: an Out that is no TryWriter is written by the writer alone.
func TestAStreamThatCanOnlyWait(t *testing.T) {
	a := setup(t, func(o *channel.Options) { o.Out = struct{ io.Writer }{o.Out} })
	a.serve(newWorker())
	for id := range uint32(100) {
		a.send(&api.Request{ID: id, Method: api.MethodWorkerDump})
		require.Equal(t, id, a.response().ID)
	}
}
