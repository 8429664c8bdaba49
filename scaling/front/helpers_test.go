package front_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/api/apitest"
	"gazpacho/engine/dtls"
	"gazpacho/scaling/front"
	"gazpacho/scaling/placement"
)

// patience is how long a test waits for what must come; only a failing test waits that long.
const patience = 20 * time.Second

// certificate is the one of all engines, so that their answers are alike.
var certificate = sync.OnceValue(func() *dtls.Certificate {
	c, err := dtls.GenerateCertificate()
	if err != nil {
		panic(err)
	}
	return c
})

// app plays the application.
type app struct {
	t       testing.TB
	worker  api.Worker
	lastID  uint32
	address func() api.ListenInfo // where its PlainTransports listen; nil: anywhere on this host

	mu      sync.Mutex
	changed sync.Cond
	events  map[string][]api.Notification // by object
}

// answer is what a request got.
type answer struct {
	body api.ResponseBody
	err  error
}

func newApp(t testing.TB) *app {
	a := &app{t: t, events: map[string][]api.Notification{}}
	a.changed.L = &a.mu
	return a
}

// emit implements api.Emitter.
func (a *app) emit(n *api.Notification) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events[n.HandlerID] = append(a.events[n.HandlerID], *n)
	a.changed.Broadcast()
}

// newEngine is an application on one engine.
func newEngine(t testing.TB) *app {
	a := newApp(t)
	w, err := engine.New(engine.Options{Emit: a.emit, Shards: 1, Certificate: certificate()})
	require.NoError(t, err)
	a.worker = w
	t.Cleanup(w.Close)
	return a
}

// engineNode is a node that is an engine of this process.
func engineNode(name string) front.NodeOptions {
	return front.NodeOptions{
		Name: name, SameHost: true, Pipe: loopback(),
		Worker: func(emit api.Emitter) (api.Worker, error) {
			return engine.New(engine.Options{Emit: emit, Shards: 1, Certificate: certificate()})
		},
	}
}

func loopback() api.ListenInfo {
	return api.ListenInfo{Protocol: api.ProtocolUDP, IP: "127.0.0.1", PortRange: &api.PortRange{}, Flags: &api.SocketFlags{}}
}

func wildcard() api.ListenInfo {
	info := loopback()
	info.IP = "0.0.0.0"
	return info
}

// options are those of a front over so many engines, with every Router spread over them.
func options(nodes int) front.Options {
	o := front.Options{Own: engineNode("own"), Placement: placement.Spread{}}
	for i := range nodes {
		o.Nodes = append(o.Nodes, engineNode(fmt.Sprint("node", i+1)))
	}
	return o
}

// distant has the nodes answer late, out of order and from other goroutines.
func distant(o front.Options, seed uint64) front.Options {
	for i := range o.Nodes {
		start := o.Nodes[i].Worker
		o.Nodes[i].Worker = func(emit api.Emitter) (api.Worker, error) {
			w, err := start(emit)
			if err != nil {
				return nil, err
			}
			return apitest.NewLate(w, seed+uint64(i)), nil
		}
	}
	return o
}

func newFrontOf(t testing.TB, o front.Options) *app {
	a := newApp(t)
	o.Emit = a.emit
	f, err := front.New(o)
	require.NoError(t, err)
	a.worker = f
	t.Cleanup(f.Close)
	return a
}

func (a *app) front() *front.Front { return a.worker.(*front.Front) }

// send sends a request and returns where its answer will come.
func (a *app) send(method api.Method, handler string, body api.RequestBody) <-chan answer {
	a.lastID++
	answers := make(chan answer, 2)
	a.worker.HandleRequest(&api.Request{ID: a.lastID, Method: method, HandlerID: handler, Body: body},
		func(body api.ResponseBody, err error) { answers <- answer{body, err} })
	return answers
}

// receive waits for an answer.
func receive(t testing.TB, answers <-chan answer) answer {
	t.Helper()
	select {
	case got := <-answers:
		return got
	case <-time.After(patience):
		require.FailNow(t, "no answer")
		return answer{}
	}
}

// try sends a request and waits for the answer.
func (a *app) try(method api.Method, handler string, body api.RequestBody) answer {
	a.t.Helper()
	return receive(a.t, a.send(method, handler, body))
}

// must sends a request that is to be accepted.
func (a *app) must(method api.Method, handler string, body api.RequestBody) api.ResponseBody {
	a.t.Helper()
	got := a.try(method, handler, body)
	require.NoError(a.t, got.err)
	return got.body
}

// refused sends a request that is to be refused with a reason that has text in it.
func (a *app) refused(text string, method api.Method, handler string, body api.RequestBody) {
	a.t.Helper()
	require.ErrorContains(a.t, a.try(method, handler, body).err, text)
}

// seen returns what was told of an object.
func (a *app) seen(id string, event api.Event) (all []api.Notification) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range a.events[id] {
		if n.Event == event {
			all = append(all, n)
		}
	}
	return all
}

// await waits until a condition holds, and looks at it whenever the application is told something, and now and then.
func (a *app) await(what string, holds func() bool) {
	a.t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		require.True(a.t, time.Now().Before(deadline), "waited in vain: %s", what)
		a.mu.Lock()
		wake := time.AfterFunc(10*time.Millisecond, func() {
			a.mu.Lock() // not before Wait, which would miss it
			defer a.mu.Unlock()
			a.changed.Broadcast()
		})
		a.changed.Wait()
		a.mu.Unlock()
		wake.Stop()
	}
}

// awaitEvent waits for the first event of a kind of an object.
func (a *app) awaitEvent(id string, event api.Event) api.Notification {
	a.t.Helper()
	a.await(fmt.Sprint(id, " ", event), func() bool { return len(a.seen(id, event)) > 0 })
	return a.seen(id, event)[0]
}

// random are the fields whose values differ between two runs.
var random = map[string]bool{
	"LocalPort": true, "Port": true, "UsernameFragment": true, "Password": true, "LocalICEUsernameFragment": true,
	"KeyBase64": true, "Timestamp": true,
	// Of SCTP, which looks for its peer again and again.
	"BytesSent": true, "SendBitrate": true, "BytesReceived": true, "RecvBitrate": true,
	// Of the process.
	"RuUtime": true, "RuStime": true, "RuMaxrss": true, "RuMinflt": true, "RuMajflt": true, "RuInblock": true, "RuOublock": true,
	"RuNvcsw": true, "RuNivcsw": true,
}

// normal returns a value as text without what is random.
func normal(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	var tree any
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	require.NoError(t, d.Decode(&tree))
	b, err = json.MarshalIndent(mask(tree), "", " ")
	require.NoError(t, err)
	return string(b)
}

func mask(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if random[key] && value != nil {
				v[key] = "*"
			} else {
				v[key] = mask(value)
			}
		}
	case []any:
		if len(v) == 0 {
			return nil // an empty list and none are the same to an application
		}
		for i := range v {
			v[i] = mask(v[i])
		}
	}
	return v
}

// describe returns an answer as text.
func (got answer) describe(t testing.TB) string {
	t.Helper()
	if got.err != nil {
		return fmt.Sprintf("%T %v", got.err, normal(t, got.err))
	}
	return fmt.Sprintf("%T %s", got.body, normal(t, got.body))
}
