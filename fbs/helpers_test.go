package fbs_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/fbs"
)

const release = "3.27.1"

func load(t testing.TB) *fbs.Dialect {
	t.Helper()
	d, err := fbs.Load(release)
	require.NoError(t, err)
	return d
}

// encode returns the payload of body's frame.
func encode(t testing.TB, body api.MessageBody) []byte {
	t.Helper()
	frame, err := load(t).NewEncoder().AppendMessage(nil, body)
	require.NoError(t, err)
	return frame[4:]
}

// unionMembers gives the members that a filler may choose from.
var unionMembers = map[reflect.Type][]api.UnionMember{
	reflect.TypeFor[api.RequestBody]():           api.UnionRequestBody,
	reflect.TypeFor[api.ResponseBody]():          api.UnionResponseBody,
	reflect.TypeFor[api.NotificationBody]():      api.UnionNotificationBody,
	reflect.TypeFor[api.ConsumerTraceInfo]():     api.UnionConsumerTraceInfo,
	reflect.TypeFor[api.ProducerTraceInfo]():     api.UnionProducerTraceInfo,
	reflect.TypeFor[api.TransportTraceInfo]():    api.UnionTransportTraceInfo,
	reflect.TypeFor[api.ParameterValue]():        api.UnionParameterValue,
	reflect.TypeFor[api.RTPStreamStatsData]():    api.UnionRTPStreamStatsData,
	reflect.TypeFor[api.WebRtcTransportListen](): api.UnionWebRtcTransportListen,
}

// filler fills values with random content that is nowhere empty.
type filler struct {
	*rand.Rand
	depth int
}

func newFiller(seed uint64) *filler { return &filler{Rand: rand.New(rand.NewPCG(seed, seed))} }

func (f *filler) fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Struct:
		f.depth++
		for i := range v.NumField() {
			if !fbs.Retired[v.Type().String()+"."+v.Type().Field(i).Name] {
				f.fill(v.Field(i))
			}
		}
		f.depth--
	case reflect.Slice:
		n := 1 + f.IntN(3)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			f.fill(v.Index(i))
		}
	case reflect.Interface:
		f.fillUnion(v)
	case reflect.String:
		v.SetString(fmt.Sprintf("é%d", f.Uint32()))
	default:
		f.fillScalar(v)
	}
}

func (f *filler) fillUnion(v reflect.Value) {
	members := unionMembers[v.Type()]
	m := members[f.IntN(len(members))]
	if f.depth > 6 {
		m = members[0] // of stream statistics: the member that ends the recursion
	}
	v.Set(reflect.New(reflect.TypeOf(m.Type).Elem()))
	f.fill(v.Elem().Elem())
}

func (f *filler) fillScalar(v reflect.Value) {
	if e, ok := v.Interface().(interface{ EnumNames() []string }); ok {
		names := e.EnumNames()
		n := f.IntN(len(names))
		for names[n] == "" || fbs.Retired[v.Type().String()+"."+names[n]] {
			n = f.IntN(len(names))
		}
		v.SetUint(uint64(n))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(f.IntN(2) == 0)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(float32(f.NormFloat64())))
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.Uint64()) >> (64 - v.Type().Bits()))
	default:
		v.SetUint(f.Uint64() >> (64 - v.Type().Bits()))
	}
}

// everyMessage returns a filled message for each body of requests, responses and notifications, a request, a response
// and a notification without body, and a log.
func everyMessage(seed uint64) []api.MessageBody {
	f := newFiller(seed)
	var all []api.MessageBody
	each := func(members []api.UnionMember, with func(body any) api.MessageBody) {
		for _, m := range members {
			body := reflect.New(reflect.TypeOf(m.Type).Elem())
			f.fill(body.Elem())
			all = append(all, with(body.Interface()))
		}
	}
	each(api.UnionRequestBody, func(body any) api.MessageBody {
		r := f.request()
		r.Body = body.(api.RequestBody)
		return r
	})
	each(api.UnionResponseBody, func(body any) api.MessageBody {
		return &api.Response{ID: f.Uint32(), Accepted: true, Body: body.(api.ResponseBody), Error: "Error", Reason: "reason"}
	})
	each(api.UnionNotificationBody, func(body any) api.MessageBody {
		n := f.notification()
		n.Body = body.(api.NotificationBody)
		return n
	})
	return append(all, f.request(), f.notification(), &api.Response{ID: 1}, &api.Response{ID: 2, Error: "TypeError", Reason: "no"},
		&api.Log{Data: "Dhello"})
}

func (f *filler) request() *api.Request {
	r := &api.Request{ID: 1 + f.Uint32N(1<<31), HandlerID: "handler"}
	f.fillScalar(reflect.ValueOf(&r.Method).Elem())
	return r
}

func (f *filler) notification() *api.Notification {
	n := &api.Notification{HandlerID: "handler"}
	f.fillScalar(reflect.ValueOf(&n.Event).Elem())
	return n
}
