package pipe_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/pipe"
)

func TestTransportIsEncryptedAndInternal(t *testing.T) {
	listen := &api.ListenInfo{IP: "10.0.0.1"}
	r := pipe.NewTransport("id", listen)
	require.Equal(t, "id", r.TransportID)
	require.Equal(t, &api.PipeTransportOptions{
		Base: &api.TransportOptions{Internal: true}, ListenInfo: listen, EnableRTX: true, EnableSRTP: true,
	}, r.Options)
}

func TestConnect(t *testing.T) {
	key := &api.SRTPParameters{CryptoSuite: api.SRTPCryptoSuiteAEADAES256GCM, KeyBase64: "secret"}
	tuple := &api.TransportTuple{LocalAddress: "10.0.0.2", LocalPort: 4000}
	r, err := pipe.Connect(&api.PipeTransportDumpResponse{Tuple: tuple, SRTPParameters: key})
	require.NoError(t, err)
	require.Equal(t, &api.PipeTransportConnectRequest{IP: "10.0.0.2", Port: new(uint16(4000)), SRTPParameters: key}, r)
	for _, lacking := range []api.ResponseBody{
		nil, &api.PlainTransportDumpResponse{}, (*api.PipeTransportDumpResponse)(nil),
		&api.PipeTransportDumpResponse{Tuple: tuple}, &api.PipeTransportDumpResponse{SRTPParameters: key},
	} {
		_, err := pipe.Connect(lacking)
		require.Error(t, err)
	}
}

func TestDataRelay(t *testing.T) {
	base := pipe.NewDataTransport("id").Options.Base
	require.True(t, base.Direct && base.Internal)
	dp := &api.TransportProduceDataRequest{
		DataProducerID: "dp", SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 7}, Label: "label", Protocol: "protocol",
	}
	require.Equal(t, &api.TransportConsumeDataRequest{
		DataConsumerID: "out", DataProducerID: "dp", Type: api.DataConsumerTypeDirect,
	}, pipe.ConsumeData("out", dp, nil))
	require.Equal(t, &api.TransportProduceDataRequest{
		DataProducerID: "dp", Type: api.DataProducerTypeDirect, Label: "label", Protocol: "protocol", Paused: true,
	}, pipe.ProduceData(dp, true, nil))
	required, ignored := uint16(1), uint16(2)
	require.Equal(t, &api.Notification{HandlerID: "dp", Event: api.EventDataProducerSend, Body: &api.DataProducerSendNotification{
		PPID: 51, Data: []byte("x"), Subchannels: []uint16{3}, RequiredSubchannel: &required, IgnoredSubchannel: &ignored,
	}}, pipe.SendData("dp", &api.DataConsumerMessageNotification{
		PPID: 51, Data: []byte("x"), Subchannels: []uint16{3}, RequiredSubchannel: &required, IgnoredSubchannel: &ignored,
	}))
}

// Over a link, both ends get the token, and the home the address and whether messages may be lost.
func TestDataRelayByALink(t *testing.T) {
	by := &pipe.Link{Address: "10.0.0.2:7000", Token: [16]byte{1, 2, 3}}
	yes, no, zero := true, false, uint16(0)
	for name, tt := range map[string]struct {
		stream     *api.SCTPStreamParameters
		unreliable bool
	}{
		"direct":                    {nil, false},
		"ordered":                   {&api.SCTPStreamParameters{Ordered: &yes}, false},
		"unordered":                 {&api.SCTPStreamParameters{Ordered: &no}, false},
		"sent once":                 {&api.SCTPStreamParameters{MaxRetransmits: &zero}, true},
		"sent at once":              {&api.SCTPStreamParameters{Ordered: &no, MaxPacketLifeTime: &zero}, true},
		"ordered, limit without it": {&api.SCTPStreamParameters{Ordered: &yes, MaxRetransmits: &zero}, false},
	} {
		dp := &api.TransportProduceDataRequest{DataProducerID: "dp", SCTPStreamParameters: tt.stream}
		home := pipe.ConsumeData("out", dp, by)
		require.Equal(t, by.Address, home.LinkAddress, name)
		require.Equal(t, by.Token[:], home.LinkToken, name)
		require.Equal(t, tt.unreliable, home.LinkUnreliable, name)
		require.Equal(t, by.Token[:], pipe.ProduceData(dp, false, by).LinkToken, name)
	}
}
