package enginetest

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/unit"
)

// App plays the application: it sends requests and records notifications. Its methods that make something remember what
// was produced, for the consumers of it.
type App struct {
	Notifications
	T testing.TB

	handle   func(*api.Request) (api.ResponseBody, error)
	count    uint32
	produced map[string]*api.TransportProduceRequest
}

// NewApp returns an App whose requests are handled by the given function.
func NewApp(t testing.TB, handle func(*api.Request) (api.ResponseBody, error)) *App {
	return &App{T: t, handle: handle, produced: map[string]*api.TransportProduceRequest{}}
}

// ForWorker returns the function for NewApp that has a worker answer requests, within HandleRequest and once.
func ForWorker(t testing.TB, worker func() api.Worker) func(*api.Request) (api.ResponseBody, error) {
	return func(r *api.Request) (response api.ResponseBody, err error) {
		answered := false
		worker().HandleRequest(r, func(b api.ResponseBody, e error) {
			require.False(t, answered, "answered twice")
			answered, response, err = true, b, e
		})
		require.True(t, answered, "not answered")
		return response, err
	}
}

// Try sends a request.
func (a *App) Try(handler string, method api.Method, body api.RequestBody) (api.ResponseBody, error) {
	a.count++
	return a.handle(&api.Request{ID: a.count, Method: method, HandlerID: handler, Body: body})
}

// Must sends a request that is to succeed.
func (a *App) Must(handler string, method api.Method, body api.RequestBody) api.ResponseBody {
	a.T.Helper()
	response, err := a.Try(handler, method, body)
	require.NoError(a.T, err)
	return response
}

// Refused sends a request that is to be refused, and checks class and text.
func (a *App) Refused(kind api.ErrorKind, text, handler string, method api.Method, body api.RequestBody) {
	a.T.Helper()
	_, err := a.Try(handler, method, body)
	var refusal *api.Error
	require.ErrorAs(a.T, err, &refusal)
	require.Equal(a.T, kind, refusal.Kind)
	require.Contains(a.T, refusal.Reason, text)
}

// Await returns the first notification of an event about an object, however long ago it came.
func (a *App) Await(id string, event api.Event) api.Notification {
	a.T.Helper()
	return a.AwaitCount(id, event, 1)[0]
}

// AwaitCount waits for so many notifications of an event about an object.
func (a *App) AwaitCount(id string, event api.Event, count int) []api.Notification {
	a.T.Helper()
	deadline := time.After(Patience)
	for {
		coming := a.next()
		found := a.About(id, event)
		if len(found) >= count {
			return found
		}
		select {
		case <-coming:
		case <-deadline:
			require.FailNow(a.T, "too few notifications", "%s %s: %d of %d", id, event, len(found), count)
		}
	}
}

// CreateRouter makes a Router.
func (a *App) CreateRouter(id string) {
	a.T.Helper()
	a.Must("", api.MethodWorkerCreateRouter, &api.WorkerCreateRouterRequest{RouterID: id})
}

// CreateDirect makes a DirectTransport for media and messages of up to 4 MiB.
func (a *App) CreateDirect(router, id string) {
	a.T.Helper()
	a.Must(router, api.MethodRouterCreateDirectTransport, &api.RouterCreateDirectTransportRequest{
		TransportID: id, Options: &api.DirectTransportOptions{Base: &api.TransportOptions{
			Direct: true, MaxSendMessageSize: 1 << 22, MaxReceiveMessageSize: 1 << 22,
		}},
	})
}

// ListenInfo listens at an address, with a port of the worker's range.
func ListenInfo(p api.Protocol, ip string) api.ListenInfo {
	return api.ListenInfo{Protocol: p, IP: ip, PortRange: &api.PortRange{}, Flags: &api.SocketFlags{}}
}

// PlainOptions are those of a PlainTransport with one port.
func PlainOptions(ip string) *api.PlainTransportOptions {
	return &api.PlainTransportOptions{
		Base: &api.TransportOptions{}, RTCPMux: true, ListenInfo: new(ListenInfo(api.ProtocolUDP, ip)),
	}
}

// CreatePlain makes a PlainTransport.
func (a *App) CreatePlain(router, id string, options *api.PlainTransportOptions) *api.PlainTransportDumpResponse {
	a.T.Helper()
	return a.Must(router, api.MethodRouterCreatePlainTransport, &api.RouterCreatePlainTransportRequest{
		TransportID: id, Options: options,
	}).(*api.PlainTransportDumpResponse)
}

// ConnectPlainRequest tells a PlainTransport its peer.
func ConnectPlainRequest(peer netip.AddrPort) *api.PlainTransportConnectRequest {
	return &api.PlainTransportConnectRequest{IP: peer.Addr().String(), Port: new(peer.Port())}
}

// ConnectPlain tells a PlainTransport its peer.
func (a *App) ConnectPlain(id string, peer netip.AddrPort) {
	a.T.Helper()
	a.Must(id, api.MethodPlainTransportConnect, ConnectPlainRequest(peer))
}

// CloseTransport closes a transport of a Router.
func (a *App) CloseTransport(router, id string) {
	a.T.Helper()
	a.Must(router, api.MethodRouterCloseTransport, &api.RouterCloseTransportRequest{TransportID: id})
}

// Produce makes a producer.
func (a *App) Produce(transport, id string, s Stream) {
	a.T.Helper()
	request := s.Produce(id)
	a.Must(transport, api.MethodTransportProduce, request)
	a.produced[id] = request
}

// CloseProducer closes a producer.
func (a *App) CloseProducer(transport, id string) {
	a.T.Helper()
	a.Must(transport, api.MethodTransportCloseProducer, &api.TransportCloseProducerRequest{ProducerID: id})
}

// ConsumeRequest consumes a producer that Produce made as a stream with the given SSRC, with the producer's codec and
// without header extensions.
func (a *App) ConsumeRequest(id, producer string, ssrc unit.SSRC) *api.TransportConsumeRequest {
	a.T.Helper()
	produced := a.produced[producer]
	require.NotNil(a.T, produced, "producer %s is not known", producer)
	codec := produced.RTPParameters.Codecs[0]
	s := Stream{Codec: Codec{MimeType: codec.MimeType, ClockRate: codec.ClockRate}, SSRC: ssrc}
	if codec.Channels != nil {
		s.Channels = *codec.Channels
	}
	return s.Consume(id, produced)
}

// Consume makes a consumer by ConsumeRequest.
func (a *App) Consume(transport, id, producer string, ssrc unit.SSRC) *api.TransportConsumeResponse {
	a.T.Helper()
	return a.Must(transport, api.MethodTransportConsume, a.ConsumeRequest(id, producer, ssrc)).(*api.TransportConsumeResponse)
}

// ConsumeAs makes a consumer whose packets are sent as the given stream.
func (a *App) ConsumeAs(transport, id, producer string, s Stream) *api.TransportConsumeResponse {
	a.T.Helper()
	require.Contains(a.T, a.produced, producer)
	return a.Must(transport, api.MethodTransportConsume, s.Consume(id, a.produced[producer])).(*api.TransportConsumeResponse)
}

// CloseConsumer closes a consumer.
func (a *App) CloseConsumer(transport, id string) {
	a.T.Helper()
	a.Must(transport, api.MethodTransportCloseConsumer, &api.TransportCloseConsumerRequest{ConsumerID: id})
}
