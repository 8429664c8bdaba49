package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/stretchr/testify/require"
)

// request is what a server gets.
type request struct {
	ID     int               `json:"id"`
	Method string            `json:"method"`
	Data   map[string]string `json:"data"`
}

// serve returns the address of a WebSocket that answers, until answer returns nothing.
func serve(t *testing.T, answer func(request) map[string]any) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			var got request
			if wsjson.Read(r.Context(), conn, &got) != nil {
				return
			}
			said := answer(got)
			if said == nil {
				return
			}
			_ = wsjson.Write(r.Context(), conn, said)
		}
	}))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http", "ws", 1)
}

func TestRequestsAreAnsweredRefusedAndLost(t *testing.T) {
	address := serve(t, func(r request) map[string]any {
		switch r.Method {
		case "count":
			return map[string]any{"id": r.ID, "result": map[string]int{"people": 3}}
		case "refuse":
			return map[string]any{"id": r.ID, "error": "the room is full"}
		case "tell":
			return map[string]any{"event": "peerLeft", "data": map[string]string{"id": "x"}}
		}
		return nil
	})
	ctx, lost := context.WithCancelCause(t.Context())
	s, err := dial(ctx, address, false, lost)
	require.NoError(t, err)
	defer s.close()

	var result struct{ People int }
	require.NoError(t, s.request(ctx, "count", nil, &result))
	require.Equal(t, 3, result.People)
	require.NoError(t, s.request(ctx, "count", nil, nil))
	require.Equal(t, refusal("the room is full"), s.request(ctx, "refuse", nil, nil))

	told := make(chan error, 1)
	go func() { told <- s.request(ctx, "tell", nil, nil) }()
	require.Equal(t, event{"peerLeft", json.RawMessage(`{"id":"x"}`)}, <-s.events)
	require.Error(t, s.request(ctx, "end", nil, nil), "the connection ends")
	require.Error(t, <-told)
	<-ctx.Done()
}

func TestAGuestComesBackAsTheSameOne(t *testing.T) {
	joins := make(chan map[string]string, 8)
	address := serve(t, func(r request) map[string]any {
		joins <- r.Data
		return nil
	})
	g := newGuest(2, &floor{guests: 1})
	g.signalling, g.room = address, "demo"
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	go func() {
		g.visit(ctx)
		close(left)
	}()
	require.Equal(t, map[string]string{"room": "demo", "name": "Alan Turing", "tab": g.tab}, <-joins)
	require.Equal(t, g.tab, (<-joins)["tab"])
	leave()
	<-left
}

func TestWhoIsThereIsNobodyWithoutAParent(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	ended := make(chan struct{})
	go endWith(r, func() { close(ended) })
	require.NoError(t, w.Close())
	<-ended
}

func TestAddressesOfRooms(t *testing.T) {
	signalling, room, err := whereIs("https://host.example:3000/my-room")
	require.NoError(t, err)
	require.Equal(t, "wss://host.example:3000/signalling", signalling)
	require.Equal(t, "my-room", room)
	for _, bad := range []string{"", "host", "ftp://host/demo", "http://host/", "http://host/a/b", "http://host/%zz", "http://host/UPPER"} {
		_, _, err := whereIs(bad)
		require.Error(t, err, bad)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"-count", "0", "http://h/demo"},
		{"-count", "16", "http://h/demo"},
		{"-loss", "1", "http://h/demo"},
		{"-loss", "-1", "http://h/demo"},
		{"-what", "http://h/demo"},
		{"nowhere"},
	} {
		require.Error(t, run(t.Context(), args), args)
	}
}

func TestAllLeaveIfOneCannotLive(t *testing.T) {
	t.Setenv("PATH", "") // there is no ffmpeg
	g := newGuest(0, &floor{guests: 1})
	require.ErrorContains(t, welcome(t.Context(), []*guest{g}), "ffmpeg")
	done, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, welcome(done, nil))
}

func TestGuestsSpeakOneAfterTheOther(t *testing.T) {
	f := &floor{guests: 2}
	for at, want := range map[time.Duration][2]bool{
		0: {true, false}, speech - 1: {true, false}, speech: {}, turn: {false, true}, turn + speech: {}, 2 * turn: {true, false},
	} {
		for i := range f.guests {
			since, speaks := f.speaks(i, at)
			require.Equal(t, want[i], speaks, "%d at %v", i, at)
			require.Equal(t, at%turn, since)
		}
	}
}

func TestEveryLeavesOutWhatWasSleptThrough(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var numbers []int
	every(ctx, time.Millisecond, func(n int) {
		if numbers = append(numbers, n); len(numbers) == 3 {
			cancel()
		}
	})
	require.Len(t, numbers, 3)
	require.Zero(t, numbers[0])
	require.IsIncreasing(t, numbers)
	require.True(t, errors.Is(ctx.Err(), context.Canceled))
}
