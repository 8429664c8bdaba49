package front_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/front"
)

// metered is a worker whose load and CPU times the test says.
type metered struct {
	api.Worker
	mu           sync.Mutex
	load         float64
	away         bool
	user, system uint64 // in ms
	failure      error
}

func (m *metered) Load() api.Load {
	m.mu.Lock()
	defer m.mu.Unlock()
	return api.Load{CPU: m.load}
}

func (m *metered) Available() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.away
}

func (m *metered) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	m.mu.Lock()
	user, system, err := m.user, m.system, m.failure
	m.mu.Unlock()
	if req.Method != api.MethodWorkerGetResourceUsage {
		m.Worker.HandleRequest(req, reply)
		return
	}
	if err != nil {
		reply(nil, err)
		return
	}
	reply(&api.WorkerResourceUsageResponse{RuUtime: user, RuStime: system, RuMaxrss: 1000}, nil)
}

// meteredApp is an application whose front's workers are metered.
type meteredApp struct {
	*app
	clock *clock
	own   *metered
	nodes []*metered
}

func newMetered(t *testing.T, nodes int) *meteredApp {
	a := &meteredApp{clock: newClock(), own: &metered{}}
	o := options(nodes)
	o.Clock = a.clock
	meter := func(of *front.NodeOptions, m *metered) {
		start := of.Worker
		of.Worker = func(emit api.Emitter) (api.Worker, error) {
			w, err := start(emit)
			m.Worker = w
			return m, err
		}
	}
	meter(&o.Own, a.own)
	for i := range o.Nodes {
		a.nodes = append(a.nodes, &metered{})
		meter(&o.Nodes[i], a.nodes[i])
	}
	a.app = newFrontOf(t, o)
	return a
}

// set says how busy the workers are.
func (a *meteredApp) set(ownUser, ownSystem uint64, loads ...float64) {
	a.own.mu.Lock()
	a.own.user, a.own.system = ownUser, ownSystem
	a.own.mu.Unlock()
	for i, load := range loads {
		a.nodes[i].mu.Lock()
		a.nodes[i].load, a.nodes[i].away = load, load < 0
		a.nodes[i].mu.Unlock()
	}
}

// after lets the time pass, and returns what the application is told then: user and system time in ms.
func (a *meteredApp) after(d time.Duration) [2]uint64 {
	for range d / time.Second {
		a.clock.advance(time.Second)
		a.front().Do(func() {})
	}
	u := a.must(api.MethodWorkerGetResourceUsage, "", nil).(*api.WorkerResourceUsageResponse)
	require.EqualValues(a.t, 1000, u.RuMaxrss)
	return [2]uint64{u.RuUtime, u.RuStime}
}

// The growth of CPU time over an interval is the mean load of the nodes, or what the front's own process has used, if that is more.
func TestResourceUsage(t *testing.T) {
	a := newMetered(t, 3)
	a.set(700, 300, 1, 1, 1)
	require.Equal(t, [2]uint64{700, 300}, a.after(0), "from now on")
	a.set(700, 300, 0.9, 0.6, 0)
	require.Equal(t, [2]uint64{700 + 5000, 300}, a.after(10*time.Second), "half of what they can do")
	a.set(800, 500, 0.9, 0.6, 0)
	require.Equal(t, [2]uint64{700 + 9800, 500}, a.after(10*time.Second), "the front's own system time is a part of it")
	a.set(8800, 1500, 0.3, 0.3, 0.3)
	require.Equal(t, [2]uint64{700 + 9800 + 8000, 1500}, a.after(10*time.Second), "the front's own process is busier than the nodes")
	a.set(8800, 1500, 1, 1, 1)
	require.Equal(t, [2]uint64{700 + 9800 + 18000, 1500}, a.after(10*time.Second), "full")
}

// Nodes that come and go change how fast it grows, and it never goes back.
func TestResourceUsageWhileNodesComeAndGo(t *testing.T) {
	a := newMetered(t, 2)
	a.set(0, 0, 0.5, 0.5)
	require.Zero(t, a.after(0))
	require.EqualValues(t, 5000, a.after(10 * time.Second)[0])
	a.set(0, 0, 0.8, -1)
	require.EqualValues(t, 5000+8000, a.after(10 * time.Second)[0], "one that takes nothing new leaves its part to the other")
	a.set(0, 0, -1, -1)
	require.EqualValues(t, 13000+10000, a.after(10 * time.Second)[0], "no room can be placed")
	a.set(0, 0, 0, 0)
	require.EqualValues(t, 23000, a.after(10 * time.Second)[0], "after a restart")
	a.set(0, 0, 0.2, 0)
	require.EqualValues(t, 24000, a.after(10 * time.Second)[0])
}

// What is asked often is told as finely as it grows.
func TestResourceUsageLosesNothing(t *testing.T) {
	a := newMetered(t, 1)
	a.set(0, 0, 1.0/3)
	a.after(0)
	for range 300 {
		a.clock.advance(10 * time.Millisecond)
		a.after(0)
	}
	require.InDelta(t, 1000, a.after(0)[0], 1)
}

func TestResourceUsageThatIsNotKnown(t *testing.T) {
	a := newMetered(t, 1)
	a.own.failure = api.Errorf("getrusage failed")
	a.refused("getrusage failed", api.MethodWorkerGetResourceUsage, "", nil)
}

// Without nodes it is the own engine's.
func TestResourceUsageWithoutNodes(t *testing.T) {
	a := newMetered(t, 0)
	a.set(10, 20)
	require.Equal(t, [2]uint64{10, 20}, a.after(0))
	a.set(30, 50)
	require.Equal(t, [2]uint64{30, 50}, a.after(10*time.Second))
}
