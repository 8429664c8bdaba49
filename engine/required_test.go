package engine_test

import (
	"testing"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
)

// A Go client may forget what a codec's schema would not let it forget.
func TestRequestsThatLackAPart(t *testing.T) {
	a := newApp(t, engine.Options{Shards: 1})
	a.CreateRouter("r")
	a.CreateDirect("r", "d")
	for _, c := range []struct {
		lacks   string
		handler string
		method  api.Method
		body    api.RequestBody
	}{
		{"missing body", "", api.MethodWorkerCreateRouter, nil},
		{"missing body", "", api.MethodWorkerCreateRouter, (*api.WorkerCreateRouterRequest)(nil)},
		{"options ", "r", api.MethodRouterCreatePlainTransport, &api.RouterCreatePlainTransportRequest{}},
		{"options.base ", "r", api.MethodRouterCreatePlainTransport, &api.RouterCreatePlainTransportRequest{Options: &api.PlainTransportOptions{}}},
		{"options.listenInfo ", "r", api.MethodRouterCreatePlainTransport, &api.RouterCreatePlainTransportRequest{
			Options: &api.PlainTransportOptions{Base: &api.TransportOptions{}},
		}},
		{"options ", "r", api.MethodRouterCreatePipeTransport, &api.RouterCreatePipeTransportRequest{}},
		{"options.listenInfo ", "r", api.MethodRouterCreatePipeTransport, &api.RouterCreatePipeTransportRequest{
			Options: &api.PipeTransportOptions{Base: &api.TransportOptions{}},
		}},
		{"options ", "r", api.MethodRouterCreateDirectTransport, &api.RouterCreateDirectTransportRequest{}},
		{"options.base ", "r", api.MethodRouterCreateDirectTransport, &api.RouterCreateDirectTransportRequest{Options: &api.DirectTransportOptions{}}},
		{"options ", "r", api.MethodRouterCreateWebRtcTransport, &api.RouterCreateWebRtcTransportRequest{}},
		{"options.listen ", "r", api.MethodRouterCreateWebRtcTransport, &api.RouterCreateWebRtcTransportRequest{
			Options: &api.WebRtcTransportOptions{Base: &api.TransportOptions{}},
		}},
		{"options.listen ", "r", api.MethodRouterCreateWebRtcTransportWithServer, &api.RouterCreateWebRtcTransportRequest{
			Options: &api.WebRtcTransportOptions{Base: &api.TransportOptions{}, Listen: (*api.ListenServer)(nil)},
		}},
		{"options ", "r", api.MethodRouterCreateActiveSpeakerObserver, &api.RouterCreateActiveSpeakerObserverRequest{}},
		{"options ", "r", api.MethodRouterCreateAudioLevelObserver, &api.RouterCreateAudioLevelObserverRequest{}},
		{"rtpParameters ", "d", api.MethodTransportProduce, &api.TransportProduceRequest{}},
		{"rtpMapping ", "d", api.MethodTransportProduce, &api.TransportProduceRequest{RTPParameters: enginetest.Video(1).Parameters()}},
		{"rtpParameters.rtcp ", "d", api.MethodTransportProduce, &api.TransportProduceRequest{
			RTPParameters: &api.RTPParameters{}, RTPMapping: &api.RTPMapping{},
		}},
		{"rtpParameters ", "d", api.MethodTransportConsume, &api.TransportConsumeRequest{}},
		{"codecs[].parameters[]", "d", api.MethodTransportConsume, &api.TransportConsumeRequest{RTPParameters: &api.RTPParameters{
			Codecs: []api.RTPCodecParameters{{Parameters: []api.Parameter{{Name: "apt"}}}},
		}}},
		{"headerExtensions[].parameters[]", "d", api.MethodTransportConsume, &api.TransportConsumeRequest{RTPParameters: &api.RTPParameters{
			HeaderExtensions: []api.RTPHeaderExtensionParameters{{Parameters: []api.Parameter{{Value: (*api.ValueString)(nil)}}}},
		}}},
	} {
		a.Refused(api.ErrorKindType, c.lacks, c.handler, c.method, c.body)
	}
}
