package data_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/data"
	"gazpacho/engine/unit"
)

func ptr[T any](v T) *T { return &v }

func produce(t *testing.T, typ api.DataProducerType, streamID uint16) *data.Producer {
	t.Helper()
	p, err := data.NewProducer(&api.TransportProduceDataRequest{
		DataProducerID: "p", Type: typ, SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: streamID},
		Label: "l", Protocol: "q",
	}, 10)
	require.NoError(t, err)
	return p
}

func consume(t *testing.T, typ api.DataConsumerType, pipe data.Pipe, subchannels ...uint16) *data.Consumer {
	t.Helper()
	c, err := data.NewConsumer(&api.TransportConsumeDataRequest{
		DataConsumerID: "c", DataProducerID: "p", Type: typ, SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 3},
		Label: "l", Protocol: "q", Subchannels: subchannels,
	}, 10, pipe)
	require.NoError(t, err)
	return c
}

func TestStreamParameters(t *testing.T) {
	tests := []struct {
		name string
		in   *api.SCTPStreamParameters
		want *api.SCTPStreamParameters
		err  string
	}{
		{"missing", nil, nil, "missing sctpStreamParameters"},
		{"stream id", &api.SCTPStreamParameters{StreamID: 65535}, nil, "streamId must not be greater than 65534"},
		{"default", &api.SCTPStreamParameters{StreamID: 65534}, &api.SCTPStreamParameters{StreamID: 65534, Ordered: ptr(true)}, ""},
		{
			"unordered", &api.SCTPStreamParameters{Ordered: ptr(false)},
			&api.SCTPStreamParameters{Ordered: ptr(false)}, "",
		},
		{
			"lifetime implies unordered", &api.SCTPStreamParameters{MaxPacketLifeTime: ptr[uint16](5000)},
			&api.SCTPStreamParameters{Ordered: ptr(false), MaxPacketLifeTime: ptr[uint16](5000)}, "",
		},
		{
			"retransmits imply unordered", &api.SCTPStreamParameters{MaxRetransmits: ptr[uint16](2)},
			&api.SCTPStreamParameters{Ordered: ptr(false), MaxRetransmits: ptr[uint16](2)}, "",
		},
		{
			"sent once", &api.SCTPStreamParameters{MaxRetransmits: ptr[uint16](0)},
			&api.SCTPStreamParameters{Ordered: ptr(false), MaxRetransmits: ptr[uint16](0)}, "",
		},
		{
			"not late at all", &api.SCTPStreamParameters{Ordered: ptr(false), MaxPacketLifeTime: ptr[uint16](0)},
			&api.SCTPStreamParameters{Ordered: ptr(false), MaxPacketLifeTime: ptr[uint16](0)}, "",
		},
		{
			"zero beside a lifetime", &api.SCTPStreamParameters{MaxRetransmits: ptr[uint16](0), MaxPacketLifeTime: ptr[uint16](9)},
			&api.SCTPStreamParameters{Ordered: ptr(false), MaxPacketLifeTime: ptr[uint16](9)}, "",
		},
		{
			"zero beside retransmissions", &api.SCTPStreamParameters{MaxRetransmits: ptr[uint16](9), MaxPacketLifeTime: ptr[uint16](0)},
			&api.SCTPStreamParameters{Ordered: ptr(false), MaxRetransmits: ptr[uint16](9)}, "",
		},
		{
			"ordered and zero", &api.SCTPStreamParameters{Ordered: ptr(true), MaxRetransmits: ptr[uint16](0)},
			&api.SCTPStreamParameters{Ordered: ptr(true)}, "",
		},
		{
			"both", &api.SCTPStreamParameters{MaxRetransmits: ptr[uint16](1), MaxPacketLifeTime: ptr[uint16](1)}, nil,
			"cannot provide both maxPacketLifeTime and maxRetransmits",
		},
		{
			"ordered and limited", &api.SCTPStreamParameters{Ordered: ptr(true), MaxRetransmits: ptr[uint16](1)}, nil,
			"cannot be ordered with maxPacketLifeTime or maxRetransmits",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := data.NewProducer(&api.TransportProduceDataRequest{SCTPStreamParameters: tt.in}, 1)
			c, err2 := data.NewConsumer(&api.TransportConsumeDataRequest{SCTPStreamParameters: tt.in}, 1, data.Pipe{})
			if tt.err != "" {
				require.Equal(t, api.TypeErrorf("%s", tt.err), err)
				require.Equal(t, err, err2)
				return
			}
			require.NoError(t, err)
			require.NoError(t, err2)
			require.Equal(t, tt.want, p.Dump().SCTPStreamParameters)
			require.Equal(t, tt.want, c.Dump(data.BufferedAmounts{}).SCTPStreamParameters)
		})
	}
}

func TestProducer(t *testing.T) {
	p := produce(t, api.DataProducerTypeSCTP, 3)
	require.Equal(t, "p", p.ID())
	require.Equal(t, api.DataProducerTypeSCTP, p.Type())
	m, forward := p.HandleMessage(51, []byte("abc"), data.Pipe{})
	require.True(t, forward)
	require.Equal(t, data.Message{PPID: 51, Data: []byte("abc")}, m)

	require.True(t, p.Pause())
	require.False(t, p.Pause())
	require.True(t, p.Paused())
	_, forward = p.HandleMessage(51, []byte("abc"), data.Pipe{})
	require.False(t, forward)
	require.True(t, p.Resume())
	require.False(t, p.Resume())

	require.Equal(t, &api.DataProducerGetStatsResponse{
		Timestamp: 1000, Label: "l", Protocol: "q", MessagesReceived: 2, BytesReceived: 6,
	}, p.Stats(unit.Time(1e9)))
	require.Equal(t, &api.DataProducerDumpResponse{
		ID: "p", Label: "l", Protocol: "q", SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 3, Ordered: ptr(true)},
	}, p.Dump())
}

func TestProducerOfTheApplication(t *testing.T) {
	p := produce(t, api.DataProducerTypeDirect, 0)
	_, ok := p.StreamID()
	require.False(t, ok)
	require.Nil(t, p.Dump().SCTPStreamParameters)
	n := &api.DataProducerSendNotification{
		PPID: 53, Data: make([]byte, 10), Subchannels: []uint16{1}, RequiredSubchannel: ptr[uint16](2), IgnoredSubchannel: ptr[uint16](3),
	}
	m, forward, err := p.HandleSend(n)
	require.NoError(t, err)
	require.True(t, forward)
	require.Equal(t, data.Addressing{Subchannels: []uint16{1}, RequiredSubchannel: ptr[uint16](2), IgnoredSubchannel: ptr[uint16](3)}, m.Addressing)
	n.Data = make([]byte, 11)
	_, _, err = p.HandleSend(n)
	require.Equal(t, api.TypeErrorf("given message exceeds maxMessageSize value [maxMessageSize:10, len:11]"), err)
}

func TestListener(t *testing.T) {
	var l data.Listener
	require.Equal(t, &api.TransportSCTPListener{StreamIDTable: []api.Uint16String{}}, l.Dump())
	p, q := produce(t, api.DataProducerTypeSCTP, 7), produce(t, api.DataProducerTypeSCTP, 7)
	require.NoError(t, l.Add(p))
	require.Equal(t, api.Errorf("streamId already exists in SCTP listener [streamId:7]"), l.Add(q))
	require.Same(t, p, l.Producer(7))
	require.Nil(t, l.Producer(8))
	require.Equal(t, []api.Uint16String{{Key: 7, Value: "p"}}, l.Dump().StreamIDTable)
	l.Remove(q)
	require.Same(t, p, l.Producer(7))
	l.Remove(p)
	require.Nil(t, l.Producer(7))
	direct := produce(t, api.DataProducerTypeDirect, 0)
	l.Remove(direct)
	require.Panics(t, func() { _ = l.Add(direct) })
}

func TestConsumerOverSCTP(t *testing.T) {
	c := consume(t, api.DataConsumerTypeSCTP, data.Pipe{})
	id, ok := c.StreamID()
	require.True(t, ok)
	require.EqualValues(t, 3, id)
	require.Equal(t, []string{"c", "p"}, []string{c.ID(), c.ProducerID()})
	s, send := c.HandleMessage(&data.Message{PPID: 51, Data: []byte("abc")})
	require.True(t, send)
	require.Equal(t, data.Send{StreamID: 3, PPID: 51, Data: []byte("abc"), Ordered: true}, s)
	_, send = c.HandleMessage(&data.Message{PPID: 51, Data: make([]byte, 11)})
	require.False(t, send, "larger than the peer takes")
	require.Equal(t, &api.DataConsumerGetStatsResponse{
		Timestamp: 1000, Label: "l", Protocol: "q", MessagesSent: 1, BytesSent: 3, BufferedAmount: 5,
	}, c.Stats(unit.Time(1e9), data.BufferedAmounts{Amount: 5}))
	require.Equal(t, &api.DataConsumerDumpResponse{
		ID: "c", DataProducerID: "p", SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 3, Ordered: ptr(true)},
		Label: "l", Protocol: "q", BufferedAmount: 5, BufferedAmountLowThreshold: 6, Subchannels: []uint16{},
	}, c.Dump(data.BufferedAmounts{Amount: 5, LowThreshold: 6}))
}

func TestLimitsTravelWithUnorderedMessages(t *testing.T) {
	c, err := data.NewConsumer(&api.TransportConsumeDataRequest{
		SCTPStreamParameters: &api.SCTPStreamParameters{MaxRetransmits: ptr[uint16](2)},
	}, 10, data.Pipe{})
	require.NoError(t, err)
	s, _ := c.HandleMessage(&data.Message{Data: []byte("x")})
	require.Equal(t, data.Send{Data: []byte("x"), MaxRetransmits: ptr[uint16](2)}, s)
}

func TestConsumerOfTheApplication(t *testing.T) {
	c := consume(t, api.DataConsumerTypeDirect, data.Pipe{})
	_, send := c.HandleMessage(&data.Message{PPID: 56, Data: []byte(" ")})
	require.False(t, send)
	require.Equal(t, []api.Notification{{
		HandlerID: "c", Event: api.EventDataConsumerMessage,
		Body: &api.DataConsumerMessageNotification{PPID: 56, Data: []byte(" ")},
	}}, c.Notifications())
	require.Empty(t, c.Notifications())
	_, err := c.HandleSend(&api.DataConsumerSendRequest{})
	require.Equal(t, api.TypeErrorf("invalid DataConsumer type"), err)
	c.HandleSCTPClosed()
	require.True(t, c.Active(), "does not concern the application")
}

func TestConsumerPauses(t *testing.T) {
	c := consume(t, api.DataConsumerTypeSCTP, data.Pipe{})
	c.Attach(true)
	require.False(t, c.Active())
	c.HandleProducerPaused()
	require.Empty(t, c.Notifications(), "it was paused already")
	c.HandleProducerResumed()
	c.HandleProducerResumed()
	c.HandleProducerPaused()
	c.HandleProducerResumed()
	c.HandleBufferedAmountLow(9)
	c.HandleSendBufferFull()
	var events []api.Event
	for _, n := range c.Notifications() {
		events = append(events, n.Event)
	}
	require.Equal(t, []api.Event{
		api.EventDataConsumerDataProducerResume, api.EventDataConsumerDataProducerPause, api.EventDataConsumerDataProducerResume,
		api.EventDataConsumerBufferedAmountLow, api.EventDataConsumerSCTPSendBufferFull,
	}, events)
	c.Pause()
	require.False(t, c.Active())
	_, send := c.HandleMessage(&data.Message{Data: []byte("x")})
	require.False(t, send)
	_, err := c.HandleSend(&api.DataConsumerSendRequest{Data: []byte("x")})
	require.Equal(t, data.SendResult(false), err)
	c.Resume()
	require.True(t, c.Active())
	c.HandleSCTPClosed()
	require.False(t, c.Active())
	c.HandleProducerClosed()
	require.Equal(t, api.EventDataConsumerDataProducerClose, c.Notifications()[0].Event)
}

func TestSendOfTheApplication(t *testing.T) {
	c := consume(t, api.DataConsumerTypeSCTP, data.Pipe{})
	s, err := c.HandleSend(&api.DataConsumerSendRequest{PPID: 53, Data: []byte("x")})
	require.NoError(t, err)
	require.Equal(t, data.Send{StreamID: 3, PPID: 53, Data: []byte("x"), Ordered: true}, s)
	_, err = c.HandleSend(&api.DataConsumerSendRequest{Data: make([]byte, 11)})
	require.Equal(t, api.TypeErrorf("given message exceeds maxMessageSize value [maxMessageSize:10, len:11]"), err)
	require.EqualError(t, data.SendResult(true), "sctpsendbufferfull")
	require.EqualError(t, data.SendResult(false), "message send failed")
}

func TestSubchannelsOfAConsumer(t *testing.T) {
	c := consume(t, api.DataConsumerTypeSCTP, data.Pipe{}, 2, 1, 2)
	require.Equal(t, []uint16{2, 1}, c.Subchannels())
	c.AddSubchannel(1)
	c.AddSubchannel(math.MaxUint16)
	require.Equal(t, []uint16{2, 1, math.MaxUint16}, c.Subchannels())
	c.RemoveSubchannel(1)
	c.RemoveSubchannel(1)
	require.Equal(t, []uint16{2, math.MaxUint16}, c.Subchannels())
	c.SetSubchannels([]uint16{5})
	require.Equal(t, []uint16{5}, c.Subchannels())
}

func TestWants(t *testing.T) {
	tests := []struct {
		name      string
		addressed data.Addressing
		listens   []uint16
		want      bool
		wantPipe  bool
	}{
		{"to all", data.Addressing{}, nil, true, true},
		{"to one that listens", data.Addressing{Subchannels: []uint16{1, 2}}, []uint16{2}, true, true},
		{"to none that listens", data.Addressing{Subchannels: []uint16{1, 2}}, []uint16{3}, false, false},
		{"to a listener of nothing", data.Addressing{Subchannels: []uint16{1}}, nil, false, true},
		{"required", data.Addressing{RequiredSubchannel: ptr[uint16](1)}, []uint16{1}, true, true},
		{"required, missing", data.Addressing{RequiredSubchannel: ptr[uint16](1)}, []uint16{2}, false, false},
		{"required of a listener of nothing", data.Addressing{RequiredSubchannel: ptr[uint16](1)}, nil, false, true},
		{"ignored", data.Addressing{IgnoredSubchannel: ptr[uint16](1)}, []uint16{1}, false, true},
		{"ignored, another", data.Addressing{IgnoredSubchannel: ptr[uint16](1)}, []uint16{2}, true, true},
		{
			"all at once",
			data.Addressing{Subchannels: []uint16{1}, RequiredSubchannel: ptr[uint16](2), IgnoredSubchannel: ptr[uint16](3)},
			[]uint16{1, 2},
			true, true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, consume(t, api.DataConsumerTypeSCTP, data.Pipe{}, tt.listens...).Wants(&tt.addressed))
			require.Equal(t, tt.wantPipe, consume(t, api.DataConsumerTypeSCTP, today, tt.listens...).Wants(&tt.addressed))
		})
	}
}

func TestPipe(t *testing.T) {
	far := produce(t, api.DataProducerTypeSCTP, 3)
	through := func(m data.Message, listens ...uint16) data.Message {
		c, err := data.NewConsumer(&api.TransportConsumeDataRequest{
			SCTPStreamParameters: &api.SCTPStreamParameters{}, Subchannels: listens,
		}, 100, today)
		require.NoError(t, err)
		s, send := c.HandleMessage(&m)
		require.True(t, send)
		got, forward := far.HandleMessage(s.PPID, s.Data, today)
		require.True(t, forward)
		return got
	}
	m := data.Message{PPID: 51, Data: []byte("hi"), Addressing: data.Addressing{
		Subchannels: []uint16{1, 2, 3}, IgnoredSubchannel: ptr[uint16](9),
	}}
	require.Equal(t, m, through(m))
	plain := data.Message{PPID: 51, Data: []byte("hi")}
	require.Equal(t, plain, through(plain))
	reduced := m
	reduced.Subchannels = []uint16{2}
	require.Equal(t, reduced, through(m, 2, 7), "only what the pipe listens to")
	require.EqualValues(t, 6, far.Stats(0).BytesReceived, "the addressing does not count")

	c := consume(t, api.DataConsumerTypeSCTP, today)
	_, send := c.HandleMessage(&m)
	require.False(t, send, "with its addressing it is too large")
	s, err := c.HandleSend(&api.DataConsumerSendRequest{PPID: 51, Data: []byte("direct")})
	require.NoError(t, err)
	require.Equal(t, "direct", string(s.Data))
}

// What another worker's data producer had forwarded before it was paused reaches the consumers that know of the pause already.
func TestRelayedMessagesPassAPause(t *testing.T) {
	for _, relayed := range []bool{true, false} {
		p, c := produce(t, api.DataProducerTypeDirect, 0), consume(t, api.DataConsumerTypeSCTP, data.Pipe{})
		if relayed {
			p.Relay()
		}
		p.Pause()
		c.HandleProducerPaused()
		m, forward, err := p.HandleSend(&api.DataProducerSendNotification{Data: []byte("hi")})
		require.NoError(t, err)
		require.Equal(t, relayed, forward)
		_, send := c.HandleMessage(&m)
		require.Equal(t, relayed, send)
		require.False(t, c.Active())
		c.Pause()
		_, send = c.HandleMessage(&m)
		require.False(t, send, "its own pause counts")
	}
}
