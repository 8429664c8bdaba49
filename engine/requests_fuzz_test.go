package engine_test

import (
	"context"
	"log/slog"
	"math"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
	"gazpacho/internal/fuzzseed"
)

// maxFuzzedRequests bounds a conversation.
const maxFuzzedRequests = 48

// ids are those that a fuzzed conversation uses: two objects of each kind, and nobody.
var ids = []string{"r0", "r1", "s0", "d0", "d1", "t0", "t1", "w0", "w1", "x0", "p0", "p1", "c0", "c1", "dp0", "dc0", "o0", "o1", "", "nobody"}

// dice are the fuzzer's bytes; zeros follow the last one.
type dice struct{ rest []byte }

func (d *dice) next() byte {
	if len(d.rest) == 0 {
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *dice) id() string { return ids[int(d.next())%len(ids)] }

// spoil changes fields of a body: about one in rate.
func spoil(v reflect.Value, d *dice, rate int) {
	if int(d.next())%rate == rate-1 && v.CanSet() {
		replace(v, d)
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			spoil(v.Elem(), d, rate)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			spoil(v.Field(i), d, rate)
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i), d, rate)
		}
	}
}

// texts are what fuzzed texts are made of.
var texts = []string{
	"", "127.0.0.1", "::1", "::", "256.1.1.1", "video/VP8", "video/VP9", "video/AV1", "video/H264", "video/rtx", "audio/opus",
	"audio/telephone-event", "audio/multiopus", "video/", "x", "L3T3", "L9T9", "S3T3_KEY", "L0T0", "apt", "nack", "pli", "r0", "t0", "p0",
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "####", "\x00\xff", "goog-remb", "transport-cc", strings.Repeat("m", 300),
}

// numbers are the values at which arithmetic goes wrong.
var numbers = []uint64{0, 1, 2, 100, 101, 127, 128, 255, 256, 1234, 32767, 65535, 90000, math.MaxInt32, math.MaxUint32, math.MaxInt64, math.MaxUint64}

// replace gives v another value: the zero one, or an extreme.
func replace(v reflect.Value, d *dice) {
	choice := int(d.next())
	switch v.Kind() {
	case reflect.String:
		v.SetString(texts[choice%len(texts)])
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(reflect.ValueOf(numbers[choice%len(numbers)]).Convert(v.Type()).Uint())
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(reflect.ValueOf(-int64(numbers[choice%len(numbers)])).Convert(v.Type()).Int())
	case reflect.Float64:
		v.SetFloat([]float64{0, -1, math.NaN(), math.Inf(1), math.MaxFloat64}[choice%5])
	case reflect.Slice:
		replaceSlice(v, choice)
	case reflect.Pointer:
		if v.IsNil() || choice%2 == 1 {
			v.Set(reflect.New(v.Type().Elem()))
		} else {
			v.SetZero()
		}
	case reflect.Interface:
		replaceUnion(v, choice)
	default:
		v.SetZero()
	}
}

func replaceSlice(v reflect.Value, choice int) {
	switch choice % 3 {
	case 0:
		v.SetZero()
	case 1:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	default:
		v.Set(reflect.AppendSlice(v, v))
	}
}

// replaceUnion puts another member into a union: none, an empty one, or a nil pointer to one.
func replaceUnion(v reflect.Value, choice int) {
	var members []reflect.Type
	for _, union := range [][]api.UnionMember{api.UnionWebRtcTransportListen, api.UnionParameterValue} {
		for _, m := range union {
			if t := reflect.TypeOf(m.Type); t.Implements(v.Type()) {
				members = append(members, t)
			}
		}
	}
	v.SetZero()
	if choice%3 == 0 || len(members) == 0 {
		return
	}
	t := members[choice%len(members)]
	member := reflect.Zero(t)
	if choice%3 == 1 {
		member = reflect.New(t.Elem())
	}
	v.Set(member)
}

// body returns a body by the dice: mostly an ordinary one, often spoilt, sometimes another method's, or none.
func fuzzedBody(m api.Method, d *dice) api.RequestBody {
	switch mode := d.next(); {
	case mode < 112:
		return ordinary(m, d)
	case mode < 240:
		b := ordinary(m, d)
		if b != nil {
			spoil(reflect.ValueOf(b), d, []int{4, 12, 40}[mode%3])
		}
		return b
	case mode < 248:
		t := reflect.TypeOf(api.UnionRequestBody[int(d.next())%len(api.UnionRequestBody)].Type)
		if mode%2 == 1 {
			return reflect.Zero(t).Interface().(api.RequestBody)
		}
		return reflect.New(t.Elem()).Interface().(api.RequestBody)
	}
	return nil
}

// fuzzedNotification returns what an application may notify a worker of, and what it may not.
func fuzzedNotification(d *dice) *api.Notification {
	n := &api.Notification{HandlerID: d.id()}
	switch kind := d.next(); kind % 6 {
	case 0:
		n.Event, n.Body = api.EventProducerSend, &api.ProducerSendNotification{Data: keyFrame(unit.SSRC(d.next()%4), unit.SeqNo(d.next()), 24+int(d.next()))}
	case 1:
		n.Event, n.Body = api.EventTransportSendRTCP, &api.TransportSendRTCPNotification{Data: d.rest}
	case 2:
		n.Event, n.Body = api.EventDataProducerSend, &api.DataProducerSendNotification{PPID: uint32(d.next()), Data: []byte("x"), RequiredSubchannel: new(uint16(1))}
	case 3:
		n.Event, n.Body = api.EventProducerSend, (*api.ProducerSendNotification)(nil)
	case 4:
		n.Event, n.Body = api.EventTransportSendRTCP, (*api.TransportSendRTCPNotification)(nil)
	default:
		n.Event, n.Body = api.Event(d.next()), (*api.DataProducerSendNotification)(nil)
	}
	return n
}

// faults is a log handler that keeps what was logged as an error of our own.
type faults struct {
	slog.Handler
	mu   sync.Mutex
	seen []string
}

func (f *faults) Enabled(context.Context, slog.Level) bool { return true }

func (f *faults) Handle(_ context.Context, r slog.Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if strings.Contains(r.Message, "internal error") {
		f.seen = append(f.seen, r.Message)
	}
	return nil
}

// certificate is one for all fuzzed workers.
var certificate = sync.OnceValues(dtls.GenerateCertificate)

// converse has an application say what the dice want it to say.
func converse(t *testing.T, d *dice) {
	log := &faults{Handler: slog.DiscardHandler}
	cert, err := certificate()
	require.NoError(t, err)
	w, err := engine.New(engine.Options{Emit: func(*api.Notification) {}, Log: slog.New(log), Shards: 2, Certificate: cert})
	require.NoError(t, err)
	for id := uint32(1); id <= maxFuzzedRequests && len(d.rest) > 0; id++ {
		m := api.Method(d.next())
		if m >= 200 {
			_ = w.HandleNotification(fuzzedNotification(d)) // what is refused is only logged
			continue
		}
		m %= api.MethodWorkerClose + 2
		answers := 0
		w.HandleRequest(&api.Request{ID: id, Method: m, HandlerID: d.id(), Body: fuzzedBody(m, d)},
			func(api.ResponseBody, error) { answers++ })
		require.Equal(t, 1, answers, m)
	}
	w.Close()
	log.mu.Lock()
	defer log.mu.Unlock()
	require.Empty(t, log.seen)
}

// FuzzRequests: whatever an application asks for, in whatever order, each request is answered once, nothing of ours fails,
// and the worker can be closed.
func FuzzRequests(tf *testing.F) {
	f := fuzzseed.New(tf, 2000)
	for _, seed := range conversations() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			converse(t, &dice{b})
		}()
		select {
		case <-done:
		case <-time.After(enginetest.Patience):
			stacks := make([]byte, 1<<20)
			t.Fatalf("the worker hangs:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
	})
}

// place is an id's index.
func place(id string) byte {
	for i, have := range ids {
		if have == id {
			return byte(i)
		}
	}
	panic("no such id: " + id)
}

// conversations are seeds: what ordinary applications do, with ordinary bodies (mode 0).
func conversations() [][]byte {
	call := func(m api.Method, handler string, rest ...byte) []byte {
		return append([]byte{byte(m), place(handler), 0}, rest...)
	}
	router := call(api.MethodWorkerCreateRouter, "", place("r0"))
	server := call(api.MethodWorkerCreateWebRtcServer, "", place("s0"))
	join := func(parts ...[]byte) (all []byte) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	plain := join(router,
		call(api.MethodRouterCreatePlainTransport, "r0", 0, place("t0")),
		call(api.MethodRouterCreatePlainTransport, "r0", 0, place("t1")),
		call(api.MethodPlainTransportConnect, "t1"),
		call(api.MethodTransportProduce, "t0", 0, 2, 1, 2, place("p0")),
		call(api.MethodTransportConsume, "t1", 0, 1, 2, 1, place("c0"), place("p0"), 0),
	)
	direct := join(router,
		call(api.MethodRouterCreateDirectTransport, "r0", place("d0")),
		call(api.MethodRouterCreateDirectTransport, "r0", place("d1")),
		call(api.MethodTransportProduceData, "d0", 0, place("dp0"), 1),
		call(api.MethodTransportConsumeData, "d1", 0, place("dc0"), place("dp0"), 1),
		[]byte{200, place("dp0"), 2, 51},
		call(api.MethodDataProducerPause, "dp0", 0),
		call(api.MethodDataConsumerGetStats, "dc0", 0),
		call(api.MethodTransportCloseDataProducer, "d0", 0, place("dp0")),
	)
	web := join(router, server,
		call(api.MethodRouterCreateWebRtcTransportWithServer, "r0", place("w0"), place("s0")),
		call(api.MethodRouterCreateWebRtcTransport, "r0", place("w1")),
		call(api.MethodWebRtcTransportConnect, "w0"),
		call(api.MethodTransportRestartICE, "w0", 0),
		call(api.MethodTransportProduce, "w0", 0, 1, 0, 2, place("p0")),
		call(api.MethodTransportConsumeData, "w1", 0, place("dc0"), place("dp0"), 0),
		call(api.MethodTransportDump, "w0", 0),
	)
	observers := join(plain,
		call(api.MethodRouterCreateActiveSpeakerObserver, "r0", place("o0")),
		call(api.MethodRouterCreateAudioLevelObserver, "r0", place("o1")),
		call(api.MethodRTPObserverAddProducer, "o1", place("p0")),
		call(api.MethodProducerPause, "p0", 0), call(api.MethodProducerResume, "p0", 0),
		call(api.MethodConsumerSetPriority, "c0", 0, 5), call(api.MethodConsumerGetStats, "c0", 0),
		call(api.MethodProducerGetStats, "p0", 0), call(api.MethodTransportCloseProducer, "t0", 0, place("p0")),
		call(api.MethodRouterDump, "r0"), call(api.MethodWorkerDump, ""),
	)
	return [][]byte{
		plain, direct, web, observers,
		join(web, call(api.MethodWorkerWebRtcServerClose, "", place("s0"))),
		join(plain, call(api.MethodRouterCloseTransport, "r0", place("t0"))),
		join(plain, call(api.MethodWorkerCloseRouter, "", place("r0"))),
	}
}
