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
	require.Equal(t, &api.TransportConsumeDataRequest{
		DataConsumerID: "tap", DataProducerID: "dp", Type: api.DataConsumerTypeDirect,
	}, pipe.TapData("tap", "dp"))
	require.Equal(t, &api.TransportProduceDataRequest{
		DataProducerID: "dp", Type: api.DataProducerTypeDirect, Label: "label", Protocol: "protocol", Paused: true,
	}, pipe.ProduceData(&api.TransportProduceDataRequest{
		DataProducerID: "dp", SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 7}, Label: "label", Protocol: "protocol",
	}, true))
	required, ignored := uint16(1), uint16(2)
	require.Equal(t, &api.Notification{HandlerID: "dp", Event: api.EventDataProducerSend, Body: &api.DataProducerSendNotification{
		PPID: 51, Data: []byte("x"), Subchannels: []uint16{3}, RequiredSubchannel: &required, IgnoredSubchannel: &ignored,
	}}, pipe.SendData("dp", &api.DataConsumerMessageNotification{
		PPID: 51, Data: []byte("x"), Subchannels: []uint16{3}, RequiredSubchannel: &required, IgnoredSubchannel: &ignored,
	}))
}
