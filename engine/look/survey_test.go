package look_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/look"
)

func in(application, router, id string) look.Reading {
	return look.Reading{
		ID:   look.TransportID{RoomID: look.RoomID{Owner: look.Owner{Application: application}, Router: router}, Transport: id},
		Kind: look.WebRtc, HasICE: true, ICE: api.ICEStateCompleted, DTLS: api.DTLSStateConnected,
		RecvBitrate: 10, SendBitrate: 20, Producers: 1, Consumers: 2, EstimateOut: 500,
	}
}

func TestSums(t *testing.T) {
	lost, relay, poor, data := in("a", "one", "t2"), in("a", "one", "t3"), in("b", "one", "t4"), in("a", "one", "t5")
	lost.ICE, relay.Kind, poor.EstimateOut = api.ICEStateDisconnected, look.Relay, 100
	relay.Local, relay.Remote = "10.0.0.1:1", "10.0.0.2:2"
	data.Kind = look.Relay // without addresses
	s := look.Survey{Readings: []look.Reading{in("a", "two", "t0"), in("a", "one", "t1"), lost, relay, poor, data}}
	s.Sum()
	require.Equal(t, 3, s.Rooms, "Routers of different applications are different ones")
	require.Equal(t, []look.RelayEnd{{RoomID: relay.ID.RoomID, Local: "10.0.0.1:1", Remote: "10.0.0.2:2", RecvBitrate: 10, SendBitrate: 20, Producers: 1, Consumers: 2}}, s.Relays)
	one := s.All[0]
	require.Equal(t, "one", one.Router)
	require.Equal(t, look.Sums{
		Transports: 2, Relays: 2, Producers: 2, Consumers: 4, RecvBitrate: 20, SendBitrate: 40, EstimateOut: 500, Troubled: 1,
	}, one.Sums, "relays carry what was sent by others")
	require.Len(t, s.Owners, 2)
	require.Equal(t, 2, s.Owners[0].Rooms)
	require.EqualValues(t, 100, s.Owners[1].EstimateOut)
	require.Equal(t, []look.TransportID{in("a", "one", "t1").ID, lost.ID}, s.Media(one.RoomID))
	total := s.Owners[0].Sums
	total.Add(&s.Owners[1].Sums)
	require.Equal(t, 4, total.Transports)
	require.EqualValues(t, 100, total.EstimateOut)
}

func TestRoutersInPieces(t *testing.T) {
	var s look.Survey
	for i := range 10 {
		s.Readings = append(s.Readings, in("a", fmt.Sprint("r", i), "t"))
	}
	s.Sum()
	var seen []string
	id, more := look.RoomID{}, true
	for more {
		var rooms []look.RoomSummary
		rooms, more = s.After(id, 3)
		for _, r := range rooms {
			seen = append(seen, r.Router)
			id = r.RoomID
		}
	}
	require.Equal(t, []string{"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9"}, seen)
	rooms, _ := s.After(look.RoomID{Owner: look.Owner{Application: "a"}, Router: "r44"}, 1)
	require.Equal(t, "r5", rooms[0].Router, "one that is gone has a place, too")
	rooms, more = s.After(look.RoomID{Owner: look.Owner{Application: "b"}}, 1)
	require.Empty(t, rooms)
	require.False(t, more)
}

func TestRelaysAreBounded(t *testing.T) {
	var s look.Survey
	for i := range 3000 {
		r := in("a", "r", fmt.Sprint(i))
		r.Kind, r.Local = look.Relay, "10.0.0.1:1"
		s.Readings = append(s.Readings, r)
	}
	s.Sum()
	require.Len(t, s.Relays, 2000)
	require.Equal(t, 1000, s.Omitted)
}

func TestNamesAreCutOff(t *testing.T) {
	require.Equal(t, "id", look.Name("id"))
	long := look.Name(strings.Repeat("ü", 1000))
	require.Equal(t, strings.Repeat("ü", look.MaxName/2)+"…", long)
	require.Equal(t, strings.Repeat("x", look.MaxName-1)+"…", look.Name(strings.Repeat("x", look.MaxName-1)+"üü"), "not within a character")
}
