package router_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/router"
)

// parcel is an object of the tests: it belongs to a parent and has two methods.
type parcel struct {
	parent string
	opened int
}

var parcelMethods = router.Methods[*parcel]{
	api.MethodProducerDump: router.NoBody(func(p *parcel) (*api.ProducerDumpResponse, error) {
		p.opened++
		return nil, api.NotFoundErrorf("empty")
	}),
	api.MethodRouterCloseTransport: router.WithBody(func(p *parcel, req *api.RouterCloseTransportRequest) (api.ResponseBody, error) {
		p.parent = req.TransportID
		return nil, nil
	}),
}

func (p *parcel) HandleRequest(req *api.Request) (api.ResponseBody, error) {
	return parcelMethods.Handle(p, req)
}

func (p *parcel) RouterID() string { return p.parent }

func (p *parcel) HandleNotification(*api.Notification) (bool, error) { return false, nil }

func TestMethods(t *testing.T) {
	p := &parcel{}
	body, err := p.HandleRequest(&api.Request{Method: api.MethodProducerDump})
	require.EqualError(t, err, "empty")
	require.True(t, body == nil, "no body beside an error, not even one that holds a nil pointer")
	require.Equal(t, 1, p.opened)

	_, err = p.HandleRequest(&api.Request{Method: api.MethodRouterCloseTransport, Body: &api.RouterCloseTransportRequest{TransportID: "t"}})
	require.NoError(t, err)
	require.Equal(t, "t", p.parent)

	_, err = p.HandleRequest(&api.Request{Method: api.MethodRouterCloseTransport, Body: &api.WorkerCloseRouterRequest{}})
	require.EqualError(t, err, "wrong or missing body for method router.closeTransport")
	_, err = p.HandleRequest(&api.Request{Method: api.MethodProducerPause})
	require.EqualError(t, err, "unknown method 'producer.pause'")
}

// An id that is taken is refused in the words of mediasoup's parent object if a sibling has it, else in those of its channel.
func TestCheckNew(t *testing.T) {
	var r router.Registry
	r.Add("router", &router.Router{})
	r.Add("mine", &parcel{parent: "me"})
	r.Add("other", &parcel{parent: "you"})
	check := func(id string) error {
		return router.CheckNew(&r, id, func(p *parcel) bool { return p.parent == "me" },
			"a Producer with same producerId", api.MethodTransportProduce)
	}
	require.NoError(t, check("new"))
	require.EqualError(t, check("mine"), "a Producer with same producerId already exists [method:transport.produce]")
	require.EqualError(t, check("other"), "Channel request handler with ID other already exists")
	require.EqualError(t, check("router"), "Channel request handler with ID router already exists")
	r.Remove("mine")
	require.NoError(t, check("mine"))
}
