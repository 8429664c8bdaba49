package channel_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/channel"
	"gazpacho/engine/api"
	"gazpacho/fbs"
)

func TestEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(a *app)
		want error
	}{
		"close notification": {
			func(a *app) { a.send(&api.Notification{Event: api.EventWorkerClose}) }, channel.ErrClosedByApplication,
		},
		"end of file":         {func(a *app) { _ = a.to.Close() }, channel.ErrHungUp},
		"end inside a frame":  {func(a *app) { a.write([]byte{9, 0, 0, 0, 1, 2}); _ = a.to.Close() }, channel.ErrHungUp},
		"end inside a length": {func(a *app) { a.write([]byte{9, 0}); _ = a.to.Close() }, channel.ErrHungUp},
		"stopped":             {func(a *app) { a.ch.Stop() }, channel.ErrStopped},
		"reader gone": {
			func(a *app) { _ = a.from.Close(); a.send(&api.Request{ID: 3}) }, channel.ErrHungUp,
		},
		"killed": {
			func(a *app) { _ = a.from.Close(); _ = a.to.Close() }, channel.ErrHungUp,
		},
		"hung up": {func(a *app) { a.ch.HungUp() }, channel.ErrHungUp},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorker()
			a := start(t, w)
			a.send(&api.Request{ID: 1})
			require.Equal(t, uint32(1), a.response().ID)
			c.end(a)
			require.ErrorIs(t, a.end(), c.want)
			closed(t, w.closed)
			a.ch.Stop() // a second reason changes nothing
			a.ch.HungUp()
			a.ch.Emit(&api.Notification{Event: api.EventConsumerProducerPause})
		})
	}
}

// TestCloseByRequest: releases before 3.19.18 close by a request, and wait for the answer, which comes after those to
// earlier requests.
func TestCloseByRequest(t *testing.T) {
	old, err := fbs.Load("3.19.17")
	require.NoError(t, err)
	a := setup(t, func(o *channel.Options) { o.Decoder, o.Encoder = old, old.NewEncoder() })
	a.dialect, a.encoder = old, old.NewEncoder()
	w := newWorker()
	a.serve(w)
	a.write(append(a.frame(&api.Request{ID: 1}), a.frame(&api.Request{ID: 2, Method: api.MethodWorkerClose})...))
	require.Equal(t, uint32(1), a.response().ID)
	require.Equal(t, &api.Response{ID: 2, Accepted: true}, a.response())
	require.ErrorIs(t, a.end(), channel.ErrClosedByApplication)
	closed(t, w.closed)
}

// TestReaderGoneBeforeClose: the application that closes both streams has still said why.
func TestReaderGoneBeforeClose(t *testing.T) {
	a := setup(t, func(o *channel.Options) { o.StallTime = patience })
	a.serve(newWorker())
	require.NoError(t, a.from.Close())
	a.send(&api.Request{ID: 3})
	a.send(&api.Notification{Event: api.EventWorkerClose})
	require.ErrorIs(t, a.end(), channel.ErrClosedByApplication)
}

// TestAnswersLeaveBeforeTheEnd: what was asked before the end of file is answered.
func TestAnswersLeaveBeforeTheEnd(t *testing.T) {
	a := setup(t, func(o *channel.Options) { o.CloseTime = patience })
	a.serve(newWorker())
	const requests = 1000
	for id := uint32(1); id <= requests; id++ {
		a.send(&api.Request{ID: id})
	}
	require.NoError(t, a.to.Close())
	for id := uint32(1); id <= requests; id++ {
		require.Equal(t, id, a.response().ID)
	}
	require.ErrorIs(t, a.end(), channel.ErrHungUp)
}

func TestWedgedWorkerDoesNotDelayTheEnd(t *testing.T) {
	for name, end := range map[string]func(a *app){
		"stopped": func(a *app) { a.ch.Stop() },
		"hung up": func(a *app) { _ = a.to.Close(); a.ch.HungUp() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorker()
			entered, release := make(chan struct{}), make(chan struct{})
			w.request = func(*api.Request, func(api.ResponseBody, error)) {
				close(entered)
				<-release
			}
			a := start(t, w)
			a.send(&api.Request{ID: 1})
			closed(t, entered)
			end(a)
			require.Error(t, a.end())
			select {
			case <-w.closed:
				t.Fatal("the worker was closed while it handled a request")
			default:
			}
			close(release)
			closed(t, w.closed)
		})
	}
}

func TestWorkerThatNeverClosesDoesNotDelayTheEnd(t *testing.T) {
	w := newWorker()
	release := make(chan struct{})
	w.close = func() { <-release }
	a := start(t, w)
	a.ch.Stop()
	require.ErrorIs(t, a.end(), channel.ErrStopped)
	close(release)
	closed(t, w.closed)
}

// TestReaderThatStopsReadingDoesNotDelayTheEnd: full pipes hold up the writer and the control loop.
func TestReaderThatStopsReadingDoesNotDelayTheEnd(t *testing.T) {
	for name, end := range map[string]func(a *app){
		"stopped": func(a *app) { a.ch.Stop() },
		"hung up": func(a *app) { _ = a.to.Close(); a.ch.HungUp() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorker()
			big := &api.WorkerDumpResponse{
				RouterIDs: []string{string(make([]byte, 4<<20))}, ChannelMessageHandlers: &api.ChannelMessageHandlers{},
			}
			w.request = func(_ *api.Request, reply func(api.ResponseBody, error)) { reply(big, nil) }
			a := start(t, w)
			a.send(&api.Request{ID: 1})
			a.send(&api.Request{ID: 2})
			end(a)
			require.Error(t, a.end())
		})
	}
}

// gate lets messages through to the decoder one by one.
type gate struct {
	channel.Decoder
	arrived, open chan struct{}
}

func (g gate) DecodeMessage(b []byte) (api.MessageBody, error) {
	g.arrived <- struct{}{}
	<-g.open
	return g.Decoder.DecodeMessage(b)
}

// TestMessagesThatCrossTheEnd reach the control loop when the worker is already being closed.
func TestMessagesThatCrossTheEnd(t *testing.T) {
	for name, m := range map[string]api.MessageBody{
		"request": &api.Request{ID: 1},
		"notification": &api.Notification{
			Event: api.EventProducerSend, Body: &api.ProducerSendNotification{Data: []byte{1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := gate{arrived: make(chan struct{}, 1), open: make(chan struct{})}
			a := setup(t, func(o *channel.Options) {
				g.Decoder = o.Decoder
				o.Decoder = g
			})
			w := newWorker()
			w.request = func(*api.Request, func(api.ResponseBody, error)) { t.Error("request after Close") }
			w.notify = func(*api.Notification) error { t.Error("notification after Close"); return nil }
			a.serve(w)
			a.send(m)
			<-g.arrived
			a.ch.Stop()
			closed(t, w.closed)
			close(g.open)
			require.ErrorIs(t, a.end(), channel.ErrStopped)
		})
	}
}

// errorReader fails as a broken descriptor does.
type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errors.New("broken descriptor") }

func TestReadErrorEndsTheChannel(t *testing.T) {
	a := setup(t, func(o *channel.Options) { o.In, o.CloseTime = errorReader{}, patience })
	a.serve(newWorker())
	require.ErrorIs(t, a.end(), channel.ErrHungUp)
	require.Equal(t, "Ecannot read from the channel [error:broken descriptor]", a.log())
}

// TestNothingIsReadAfterClose: what follows WORKER_CLOSE is left alone.
func TestNothingIsReadAfterClose(t *testing.T) {
	w := newWorker()
	w.request = func(*api.Request, func(api.ResponseBody, error)) { t.Error("request after WORKER_CLOSE") }
	a := start(t, w)
	a.write(append(a.frame(&api.Notification{Event: api.EventWorkerClose}), a.frame(&api.Request{ID: 1})...))
	require.ErrorIs(t, a.end(), channel.ErrClosedByApplication)
}
