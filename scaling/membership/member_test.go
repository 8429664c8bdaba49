package membership_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/membership"
)

func TestHeartbeatsAreMadeOnceASecond(t *testing.T) {
	m := newMember(t, "a", "1")
	m.connect()
	require.Len(t, m.heartbeats, 1)
	require.Equal(t, membership.Joining, m.heartbeats[0].State)
	require.Empty(t, m.Rows(), "who joins is in no table")
	m.pass(membership.JoinTime)
	require.True(t, m.joined)
	require.Equal(t, []string{"a alive"}, m.told())
	m.heartbeats = nil
	m.pass(10 * time.Second)
	require.Len(t, m.heartbeats, 10)
	for i, h := range m.heartbeats[1:] {
		require.Equal(t, m.heartbeats[i].Number+1, h.Number)
		require.Equal(t, membership.Serving, h.State)
	}
	require.Empty(t, m.told())
}

// Load goes with the next heartbeat; what others decide by is told at once.
func TestWhatANodeSaysOfItself(t *testing.T) {
	m := joinedMember(t, "a", "1")
	self := membership.Node{Name: "another", Incarnation: "another", Addresses: []string{"a:7000"}, Load: membership.Load{CPU: 0.5}}
	m.SetSelf(m.now, self)
	m.drain()
	require.Empty(t, m.heartbeats)
	m.pass(membership.Interval)
	require.Len(t, m.heartbeats, 1)
	require.Equal(t, 0.5, m.heartbeats[0].Load.CPU)
	require.Equal(t, "a", m.heartbeats[0].Name)
	require.Equal(t, "1", m.heartbeats[0].Incarnation)
	require.Empty(t, m.told())

	self.Draining = true
	m.SetSelf(m.now, self)
	m.drain()
	require.Equal(t, membership.Draining, m.heartbeats[1].State)
	require.Equal(t, []string{"a alive"}, m.told())
	self.Draining = false
	m.SetSelf(m.now, self)
	m.drain()
	require.Equal(t, membership.Serving, m.heartbeats[2].State)

	m.Leave(m.now)
	m.drain()
	require.Equal(t, membership.Leaving, m.heartbeats[3].State)
	m.pass(10 * time.Second)
	m.SetSelf(m.now, self)
	m.drain()
	require.Len(t, m.heartbeats, 4, "the last one")
}

func TestSuspicionDeathAndReturn(t *testing.T) {
	m := joinedMember(t, "a", "1")
	m.hear("b", "1", 1, membership.Serving)
	require.Equal(t, []string{"b alive"}, m.told())
	m.pass(membership.SuspectAfter - time.Millisecond)
	m.hear("b", "1", 2, membership.Serving)
	require.Empty(t, m.told(), "nothing but load may have changed")
	m.pass(membership.SuspectAfter + membership.Interval)
	require.Equal(t, []string{"b suspect"}, m.told())
	m.hear("b", "1", 3, membership.Serving)
	require.Equal(t, []string{"b alive"}, m.told())
	m.pass(membership.DeadAfter + membership.Interval)
	require.Equal(t, []string{"b suspect", "b dead"}, m.told())
	m.hear("b", "1", 4, membership.Draining)
	require.Equal(t, []string{"b alive"}, m.told())
	m.pass(membership.ForgetAfter + membership.Interval)
	require.Equal(t, []string{"b suspect", "b dead", "b gone"}, m.told())
	require.Empty(t, m.condition("b"))
}

func TestLateHeartbeatsChangeNothing(t *testing.T) {
	m := joinedMember(t, "a", "1")
	b := membership.Node{Name: "b", Incarnation: "1", Draining: true}
	m.hearNode(b, 7, membership.Draining)
	m.told()
	m.pass(2 * time.Second)
	b.Draining = false
	m.hearNode(b, 6, membership.Serving)
	m.hearNode(b, 7, membership.Serving)
	require.Empty(t, m.told())
	m.pass(membership.SuspectAfter - membership.Interval)
	require.Equal(t, membership.Suspect, m.condition("b"), "it was not heard again by that")
}

func TestGoodbye(t *testing.T) {
	m := joinedMember(t, "a", "1")
	m.hear("b", "1", 1, membership.Leaving)
	m.hear("b", "1", 1, membership.Serving)
	m.hear("b", "2", 9, membership.Leaving)
	require.Equal(t, []string{"b alive"}, m.told())
	m.hear("b", "1", 9, membership.Leaving)
	require.Equal(t, []string{"b gone"}, m.told())
	m.hear("b", "1", 8, membership.Serving)
	require.Empty(t, m.told(), "a late heartbeat brings nobody back")
	m.hear("b", "2", 1, membership.Serving)
	require.Equal(t, []string{"b alive"}, m.told(), "a new process does")
	m.hear("b", "2", 2, membership.Leaving)
	m.pass(2 * time.Minute)
	m.told()
	m.hear("b", "2", 3, membership.Serving)
	require.Equal(t, []string{"b alive"}, m.told(), "what is a minute old is not remembered")
}

// A node that says something else of itself all the time, or comes and goes, makes no more work than a few changes a second.
func TestChangesAreFew(t *testing.T) {
	m := joinedMember(t, "a", "1")
	for i := range uint64(1000) {
		m.hearNode(membership.Node{Name: "b", Incarnation: "1", Labels: map[string]string{"n": fmt.Sprint(i)}}, i+1, membership.Serving)
		m.hear("c", fmt.Sprint(i), 1, membership.Serving)
		m.hear("d", fmt.Sprint(i), 1, membership.Serving)
		m.hear("d", fmt.Sprint(i), 2, membership.Leaving)
	}
	require.LessOrEqual(t, len(m.told()), 4+4+2*4, "of 4,000 heartbeats")
	m.pass(2 * time.Second)
	m.changes = slices.DeleteFunc(m.changes, func(r membership.Row) bool { return r.Name != "b" })
	require.Len(t, m.changes, 1)
	require.Equal(t, "999", m.changes[0].Labels["n"], "the last one is told")
	m.hear("d", "last", 1, membership.Serving)
	require.Equal(t, membership.Alive, m.condition("d"))
}

func TestRestart(t *testing.T) {
	m := joinedMember(t, "a", "1")
	m.hear("b", "1", 50, membership.Serving)
	m.hear("b", "2", 1, membership.Joining)
	r, _ := m.row("b")
	require.Equal(t, "1", r.Incarnation, "who joins is in no table")
	m.hear("b", "2", 2, membership.Serving)
	r, _ = m.row("b")
	require.Equal(t, "2", r.Incarnation)
	m.hear("b", "1", 51, membership.Serving)
	r, _ = m.row("b")
	require.Equal(t, "2", r.Incarnation, "what comes late does not bring the old process back")
	require.False(t, r.Namesake)
	require.Equal(t, []string{"b alive", "b alive"}, m.told())
}

// Time in which nobody could be heard does not count.
func TestTheBusIsAway(t *testing.T) {
	m := joinedMember(t, "a", "1")
	m.hear("b", "1", 1, membership.Serving)
	m.told()
	m.pass(time.Second)
	m.disconnect()
	m.pass(time.Hour)
	m.connect()
	m.pass(time.Second)
	require.Empty(t, m.told())
	m.pass(membership.SuspectAfter)
	require.Equal(t, []string{"b suspect"}, m.told())
}

// Neither does time in which this process was stopped, or which a clock invents.
func TestTheOwnProcessWasStopped(t *testing.T) {
	m := joinedMember(t, "a", "1")
	m.hear("b", "1", 1, membership.Serving)
	m.told()
	m.now = m.now.Add(time.Hour)
	m.HandleTimeout(m.now)
	m.drain()
	require.Empty(t, m.told())
	require.NotEmpty(t, m.heartbeats, "it says at once that it is there")
	m.pass(membership.SuspectAfter + membership.Interval)
	require.Equal(t, []string{"b suspect"}, m.told())
}

func TestASecondNodeOfOneNameMustNotStart(t *testing.T) {
	elder, younger := joinedMember(t, "a", "1"), newMember(t, "a", "2")
	younger.connect()
	elder.HandleHeartbeat(elder.now, younger.heartbeats[0])
	elder.drain()
	require.Len(t, elder.heartbeats, 1, "it answers at once")
	require.Empty(t, elder.namesakes)
	younger.HandleHeartbeat(younger.now, elder.heartbeats[0])
	younger.drain()
	require.Len(t, younger.namesakes, 1)
	require.Equal(t, "1", younger.namesakes[0].Incarnation)
	require.False(t, younger.joined)

	elder.HandleHeartbeat(elder.now, elder.heartbeats[0])
	elder.drain()
	require.Empty(t, elder.namesakes, "it hears itself")
}

// Of two that start at once, one may.
func TestTwoOfOneNameStartAtOnce(t *testing.T) {
	a, b := newMember(t, "a", "1"), newMember(t, "a", "2")
	a.connect()
	b.connect()
	a.HandleHeartbeat(a.now, b.heartbeats[0])
	b.HandleHeartbeat(b.now, a.heartbeats[0])
	a.drain()
	b.drain()
	require.Len(t, a.namesakes, 1)
	require.Empty(t, b.namesakes)
}

// Two that are found to have one name later both stay, and tables show it as long as both live.
func TestTwoOfOneNameMeetLater(t *testing.T) {
	a, c := joinedMember(t, "a", "1"), joinedMember(t, "c", "1")
	a.hear("a", "2", 1, membership.Serving)
	a.hear("a", "2", 2, membership.Serving)
	require.Len(t, a.namesakes, 1, "told once")
	require.Equal(t, []string{"a alive namesake"}, a.told())
	a.pass(membership.DeadAfter + membership.Interval)
	require.Equal(t, []string{"a alive"}, a.told())

	for i := range uint64(10) {
		c.hear("a", "1", i+1, membership.Serving)
		c.hear("a", "2", i+1, membership.Serving)
		c.pass(membership.Interval)
	}
	r, _ := c.row("a")
	require.True(t, r.Namesake)
	require.Equal(t, "2", r.Incarnation, "the table does not change all the time")
	require.Equal(t, []string{"a alive", "a alive", "a alive namesake"}, c.told())
	for i := range uint64(20) {
		c.hear("a", "1", i+100, membership.Serving)
		c.pass(membership.Interval)
	}
	r, _ = c.row("a")
	require.Equal(t, "1", r.Incarnation, "the one that is left")
	require.False(t, r.Namesake)
	require.Equal(t, membership.Alive, r.Condition)
}

func TestJoiningWithoutABus(t *testing.T) {
	m := newMember(t, "a", "1")
	m.pass(membership.JoinAnyway - time.Millisecond)
	require.False(t, m.joined)
	m.pass(time.Millisecond)
	require.True(t, m.joined)

	m = newMember(t, "a", "1")
	m.Leave(m.now)
	m.pass(time.Minute)
	require.False(t, m.joined)
}

// A node that is started again and again takes no more room than one, whatever number its heartbeats begin with.
func TestNewIncarnationsTakeNoMoreRoom(t *testing.T) {
	for _, number := range []uint64{0, 1} {
		m := joinedMember(t, "a", "1")
		long := strings.Repeat("x", membership.MaxHeartbeat)
		for i := range 2 * membership.DefaultLimits.Bytes / len(long) {
			m.hearNode(membership.Node{Name: "b", Incarnation: fmt.Sprint(i), Version: long}, number, membership.Serving)
			m.changes = nil
		}
		require.Zero(t, m.Refused())
		m.hear("c", "1", 1, membership.Serving)
		require.Equal(t, membership.Alive, m.condition("c"))
	}
}

// A peer that invents nodes fills the table, and no more.
func TestTheTableIsBounded(t *testing.T) {
	m := joinedMember(t, "a", "1")
	long := make([]byte, membership.MaxHeartbeat)
	for i := range long {
		long[i] = 'x'
	}
	for i := range 50_000 {
		m.hearNode(membership.Node{Name: fmt.Sprint("n", i), Incarnation: "1", Version: string(long[:1000])}, 1, membership.Serving)
		m.changes = nil
	}
	size := 0
	for range m.Rows() {
		size += 1000
	}
	require.Less(t, size, membership.DefaultLimits.Bytes)
	require.Equal(t, uint64(50_000-len(m.Rows())+1), m.Refused())
	m.hearNode(membership.Node{Name: "n0", Incarnation: "1", Version: string(long)}, 2, membership.Serving)
	r, _ := m.row("n0")
	require.Len(t, r.Version, 1000, "nor does it grow in place")
	m.hear("n0", "1", 3, membership.Serving)
	for i := range uint64(10) {
		m.pass(membership.ForgetAfter / 10)
		m.hear("n0", "1", 4+i, membership.Serving)
	}
	m.pass(time.Minute)
	m.hear("b", "1", 1, membership.Serving)
	require.Equal(t, membership.Alive, m.condition("b"), "there is room again when they are forgotten")
	require.Len(t, m.Rows(), 3)
}

func TestHeartbeatsOnTheWire(t *testing.T) {
	h := membership.Heartbeat{
		Node: membership.Node{
			Name: "a", Incarnation: "1", Version: "2", Host: "h", Addresses: []string{"a:7000"}, Pipe: "10.0.0.1",
			Labels: map[string]string{"region": "eu"}, Draining: true, Watermark: 0.5, Steers: true, Tells: true,
			Signals: []membership.Signal{{ID: "i", Kind: membership.NodeIdle, Region: "eu", Node: "b", Since: 5, Over: true, Told: true}}, Load: membership.Load{
				CPU: 0.25, Assumed: 0.125, Fronts: 3, Routers: 1, Transports: 2, In: membership.Traffic{Packets: 4, Kilobits: 5},
				Out: membership.Traffic{Packets: 6, Kilobits: 7},
			},
		},
		State: membership.Draining, Number: 9,
	}
	b := h.Append(nil)
	got, err := membership.Parse("a", b)
	require.NoError(t, err)
	require.Equal(t, h, got)
	got, err = membership.Parse("b", b)
	require.NoError(t, err)
	require.Equal(t, "b", got.Name, "the name that the bus vouches for")
	for name, text := range map[string]string{
		"no JSON":        "{",
		"no incarnation": `{"state":"serving"}`,
		"unknown state":  `{"incarnation":"1","state":"asleep"}`,
		"too busy":       `{"incarnation":"1","state":"serving","load":{"cpu":1.1}}`,
		"less than none": `{"incarnation":"1","state":"serving","load":{"routers":-1}}`,
		"no watermark":   `{"incarnation":"1","state":"serving","watermark":2}`,
		"no rate":        `{"incarnation":"1","state":"serving","load":{"in":{"packets":18446744073709551615}}}`,
		"no signal":      `{"incarnation":"1","state":"serving","signals":[{"id":"\u0007"}]}`,
		"many signals":   `{"incarnation":"1","state":"serving","signals":[{}` + strings.Repeat(",{}", membership.MaxSignals) + `]}`,
		"no text":        `{"incarnation":"1","state":"serving","labels":{"region":"\u001b[2J"}}`,
		"too long":       `{"incarnation":"1","state":"serving","version":"` + fmt.Sprintf("%5000d", 1) + `"}`,
	} {
		_, err := membership.Parse("a", []byte(text))
		require.ErrorIs(t, err, membership.ErrMalformed, name)
	}
}

// A heartbeat with all that a busy node tells is well below what most networks carry in one packet.
func TestHeartbeatsAreSmall(t *testing.T) {
	h := membership.Heartbeat{
		Node: membership.Node{
			Name: "media-1.eu.example.com", Incarnation: "LLJM2E5EHXF2K4AVC3PTOGZIQY", Version: "0.1.0", Host: "27af6b4e-6a0a-4b6c-8e58-25a4c9d9f9a1",
			Addresses: []string{"192.168.100.101:7000"}, Pipe: "192.168.100.101", Labels: map[string]string{"region": "europe-west3", "zone": "europe-west3-a"},
			Draining: true, Watermark: 0.55, Load: membership.Load{
				CPU: 0.555, Assumed: 0.111, Fronts: 64, Routers: 1000, Transports: 10000, In: membership.Traffic{Packets: 100000, Kilobits: 1000000},
				Out: membership.Traffic{Packets: 1000000, Kilobits: 10000000},
			},
		},
		State: membership.Draining, Number: 31_536_000, // after a year
	}
	size := len(h.Append(nil))
	t.Log(size, "bytes")
	require.Less(t, size, 600)
}

func FuzzParse(f *testing.F) {
	h := membership.Heartbeat{State: membership.Serving, Node: membership.Node{
		Incarnation: "1", Addresses: []string{"a:1"}, Labels: map[string]string{"a": "b"}, Signals: []membership.Signal{{ID: "c", Kind: membership.NodeIdle}},
	}}
	f.Add(h.Append(nil))
	f.Add([]byte(`{"incarnation":"1","state":"leaving","number":18446744073709551615,"load":{"cpu":1e308}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := membership.Parse("b", b)
		if err != nil {
			require.ErrorIs(t, err, membership.ErrMalformed)
			return
		}
		m := joinedMember(t, "a", "1")
		m.HandleHeartbeat(m.now, h)
		m.drain()
		again, err := membership.Parse("b", h.Append(nil))
		if err == nil { // JSON may be longer when it is written again
			require.Equal(t, h.State, again.State)
		}
	})
}
