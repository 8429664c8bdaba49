package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
	"gazpacho/scaling/directory"
)

func key(id string) directory.Key { return directory.Key{Tenant: "school", ID: id} }

func entry(id, value string) directory.Entry { return directory.Entry{Key: key(id), Value: value} }

// ids returns so many.
func ids(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("p%05d", i))
	}
	return all
}

func TestEntryIsFoundFromEveryNode(t *testing.T) {
	c := newCluster(5)
	for i, id := range ids(100) {
		c.register(t, i%5, "front", entry(id, "here"))
	}
	c.rest()
	require.Equal(t, 200, c.held(), "two nodes hold each")
	for _, id := range ids(100) {
		for n := range c.nodes {
			require.Equal(t, found(entry(id, "here")), c.find(t, n, key(id)))
		}
	}
}

// What does not exist is an error at once, not a time-out.
func TestWhatDoesNotExist(t *testing.T) {
	c := newCluster(5)
	c.rest()
	before := c.now
	require.Equal(t, absent, c.find(t, 0, key("nothing")))
	require.LessOrEqual(t, c.now.Sub(before), 2*delay, "a question and an answer")
	c.register(t, 1, "front", entry("p", ""))
	c.rest()
	require.Equal(t, absent, c.find(t, 0, directory.Key{Tenant: "university", ID: "p"}), "tenants do not see each other")
	c.nodes[1].Unregister(c.now, "front", key("p"))
	c.rest()
	require.Equal(t, absent, c.find(t, 0, key("p")))
	require.Zero(t, c.held())
	c.nodes[1].Unregister(c.now, "front", key("p"))
}

func TestNodeAlone(t *testing.T) {
	c := newCluster(1)
	c.register(t, 0, "front", entry("p", "v"))
	c.rest()
	require.Equal(t, found(entry("p", "v")), c.find(t, 0, key("p")))
	require.Equal(t, absent, c.find(t, 0, key("q")))
	require.Equal(t, 1, c.held())
}

func TestFrontLeaves(t *testing.T) {
	c := newCluster(3)
	for _, id := range ids(10) {
		c.register(t, 0, "a", entry(id, ""))
	}
	c.register(t, 0, "b", entry("other", ""))
	c.nodes[0].Leave(c.now, "a")
	c.nodes[0].Leave(c.now, "nobody")
	c.rest()
	require.Equal(t, 1, c.nodes[0].Registered())
	require.Equal(t, 2, c.held())
	require.Equal(t, found(entry("other", "")), c.find(t, 2, key("other")))
}

// An entry that is registered again has the new value, and belongs to who did that. A higher version is found whichever node has it.
func TestEntryChanges(t *testing.T) {
	c := newCluster(4)
	c.register(t, 0, "a", entry("p", "old"))
	c.register(t, 0, "a", entry("p", "new"))
	c.rest()
	require.Equal(t, found(entry("p", "new")), c.find(t, 1, key("p")))
	c.register(t, 0, "b", entry("p", "newer"))
	c.nodes[0].Unregister(c.now, "a", key("p"))
	c.rest()
	require.Equal(t, found(entry("p", "newer")), c.find(t, 1, key("p")), "it is the other front's")

	moved := entry("p", "elsewhere")
	moved.Version = 2
	c.register(t, 3, "b", moved)
	c.rest()
	require.Equal(t, found(moved), c.find(t, 1, key("p")))
	require.Equal(t, 4, c.held())
	c.nodes[0].Unregister(c.now, "b", key("p"))
	c.rest()
	require.Equal(t, found(moved), c.find(t, 2, key("p")))
	require.Equal(t, 2, c.held())
}

func TestWhatIsRegisteredIsBounded(t *testing.T) {
	size := 100 + len("school") + len("p00000")
	c := newClusterOf(1, directory.Limits{Front: 10 * size, Tenant: 15 * size, Node: 16 * size})
	for _, id := range ids(10) {
		c.register(t, 0, "a", entry(id, ""))
	}
	require.ErrorIs(t, c.nodes[0].Register(c.now, "a", entry("p00010", "")), directory.ErrFull, "the front's bound")
	require.NoError(t, c.nodes[0].Register(c.now, "a", entry("p00009", "")), "again is no more")
	require.ErrorIs(t, c.nodes[0].Register(c.now, "a", entry("p00009", "longer")), directory.ErrFull)
	for _, id := range ids(15)[10:] {
		c.register(t, 0, "b", entry(id, ""))
	}
	require.ErrorIs(t, c.nodes[0].Register(c.now, "b", entry("p00015", "")), directory.ErrFull, "the tenant's bound")
	require.ErrorIs(t, c.nodes[0].Register(c.now, "c", entry("p00016", "")), directory.ErrFull)
	require.NoError(t, c.nodes[0].Register(c.now, "c", directory.Entry{Key: directory.Key{Tenant: "other", ID: "p"}}))
	require.ErrorIs(t, c.nodes[0].Register(c.now, "c", directory.Entry{Key: directory.Key{Tenant: "other", ID: "q"}}), directory.ErrFull, "the node's bound")
	c.nodes[0].Leave(c.now, "a")
	require.NoError(t, c.nodes[0].Register(c.now, "b", entry("p00015", "")))
	c.rest()
	require.Equal(t, 7, c.held())
}

// A node that sends more than any may register is not believed.
func TestWhatIsHeldIsBounded(t *testing.T) {
	c := newClusterOf(2, directory.Limits{Front: 1000, Tenant: 1000, Node: 2500})
	for _, id := range ids(20) {
		c.nodes[0].Receive(c.now, "n1", &directory.Message{Kind: directory.Put, Entries: []directory.Entry{entry(id, "")}})
	}
	of := 1000 / (100 + len("school") + len("p00000"))
	require.Equal(t, of, c.nodes[0].Held(), "of a tenant")
	for i := range 50 {
		e := entry("p00000", "")
		e.Tenant = fmt.Sprintf("inv%03d", i)
		c.nodes[0].Receive(c.now, "n1", &directory.Message{Kind: directory.Put, Entries: []directory.Entry{e}})
	}
	require.Equal(t, 2500/(100+len("school")+len("p00000")), c.nodes[0].Held(), "of tenants that it invents")
}

// A node that asks for everything again and again gets it once in a while.
func TestResyncAgainAndAgain(t *testing.T) {
	c := newCluster(2)
	for _, id := range ids(1000) {
		c.register(t, 0, "front", entry(id, ""))
	}
	c.rest()
	*c.nodes[0].Output() = directory.Output{}
	told := 0
	for range 10_000 {
		c.nodes[0].Receive(c.now, "n1", &directory.Message{Kind: directory.Resync})
		for _, m := range c.nodes[0].Output().Messages {
			told += len(m.Append(nil))
		}
		*c.nodes[0].Output() = directory.Output{}
	}
	require.Less(t, told, 1000*(100+len("p00000")), "bytes, for 60 KB of questions")
}

// A message takes no more work than its bytes: what it says only once for many entries counts for each.
func TestWhatIsSaidOnceCountsForEach(t *testing.T) {
	m := directory.Message{Kind: directory.Put}
	for i := range 7000 {
		m.Entries = append(m.Entries, directory.Entry{Key: directory.Key{Tenant: strings.Repeat("t", 2000), ID: fmt.Sprint(i)}, Value: strings.Repeat("v", 2000)})
	}
	b := m.Append(nil)
	require.LessOrEqual(t, len(b), directory.MaxMessage)
	_, err := directory.Parse(b)
	require.ErrorIs(t, err, directory.ErrMalformed)
}

func TestLookUpsAreBounded(t *testing.T) {
	c := newCluster(2)
	c.lose = func(_, _ int) bool { return true }
	for range 4096 {
		_, err := c.nodes[0].Lookup(c.now, key("p"))
		require.NoError(t, err)
	}
	_, err := c.nodes[0].Lookup(c.now, key("p"))
	require.ErrorIs(t, err, directory.ErrBusy)
	c.run(5 * time.Second)
	require.Len(t, c.results[0], 4096)
	for _, r := range c.results[0] {
		require.Equal(t, directory.Failed, r.Status, "nobody has answered")
	}
}

// When a node dies, all that others have registered is found at once by whoever knows, since the second holder has it; and what has
// never existed is known within two seconds.
func TestDeathOfANode(t *testing.T) {
	for dead := range 5 {
		c := newCluster(5)
		for i, id := range ids(300) {
			c.register(t, i%5, "front", entry(id, fmt.Sprint(i%5)))
		}
		c.rest()
		c.die(dead)
		asker := (dead + 1) % 5
		for i, id := range ids(300) {
			if i%5 != dead {
				before := c.now
				require.Equal(t, found(entry(id, fmt.Sprint(i%5))), c.find(t, asker, key(id)))
				require.LessOrEqual(t, c.now.Sub(before), 2*delay)
			}
		}
		c.know()
		died := c.now
		for i, id := range ids(300) {
			if i%5 == dead { // the front goes to another node
				c.register(t, asker, "moved", entry(id, fmt.Sprint(asker)))
			}
		}
		for i, id := range ids(300) {
			want := i % 5
			if want == dead {
				want = asker
			}
			require.Equal(t, found(entry(id, fmt.Sprint(want))), c.find(t, (dead+2)%5, key(id)))
		}
		require.Equal(t, absent, c.find(t, (dead+2)%5, key("nothing")))
		require.LessOrEqual(t, c.now.Sub(died), 2*time.Second)
		c.rest()
		require.Equal(t, 600, c.held())
	}
}

// When two nodes die at once, some entries have lost both holders. They are found within two seconds after the others know; until then
// nothing is called absent.
func TestDeathOfTwoNodes(t *testing.T) {
	c := newCluster(5)
	for _, id := range ids(300) {
		c.register(t, 0, "front", entry(id, ""))
	}
	c.rest()
	c.die(1)
	c.die(2)
	asked := c.lookAll(3, ids(300))
	c.run(time.Second)
	c.know()
	c.run(2 * time.Second)
	for _, token := range asked {
		require.Equal(t, directory.Found, c.result(t, 3, token).Status)
	}
	require.Len(t, asked, 300)
}

// A node that was started again has nothing, and gets what it should hold.
func TestRestart(t *testing.T) {
	c := newCluster(3)
	for i, id := range ids(30) {
		c.register(t, i%3, "front", entry(id, ""))
	}
	c.rest()
	c.restart(1)
	c.know()
	c.rest()
	require.Equal(t, 40, c.held(), "what the node had registered itself is gone")
	require.Equal(t, absent, c.find(t, 0, key("p00001")))
	require.Equal(t, found(entry("p00000", "")), c.find(t, 1, key("p00000")))
}

// Two sides that do not see each other find what is on their own. When they do again, all is found, and nothing is left over.
func TestPartition(t *testing.T) {
	c := newCluster(5)
	for i, id := range ids(100) {
		c.register(t, i%5, "front", entry(id, ""))
	}
	c.rest()
	side := func(n int) bool { return n < 2 }
	c.lose = func(from, to int) bool { return side(from) != side(to) }
	c.sees = func(n, other int) bool { return side(n) == side(other) }
	c.know()
	c.rest()
	for i, id := range ids(100) {
		want := absent
		if side(i % 5) {
			want = found(entry(id, ""))
		}
		require.Equal(t, want, c.find(t, 0, key(id)))
	}
	c.register(t, 0, "front", entry("meanwhile", ""))
	c.nodes[3].Unregister(c.now, "front", key("p00003"))
	c.lose, c.sees = nil, nil
	c.know()
	c.rest()
	require.Equal(t, found(entry("meanwhile", "")), c.find(t, 4, key("meanwhile")))
	require.Equal(t, absent, c.find(t, 0, key("p00003")))
	require.Equal(t, 200, c.held())
}

// What was lost on the way is told again with the next beat. That may be the end of something, too.
func TestLostMessages(t *testing.T) {
	c := newCluster(2)
	c.lose = func(_, _ int) bool { return true }
	c.register(t, 0, "front", entry("p", "v"))
	c.register(t, 0, "front", entry("q", "v"))
	c.drain()
	c.lose = nil
	require.Equal(t, 2, c.held(), "at home only")
	c.run(2*time.Second + 4*delay)
	require.Equal(t, 4, c.held())
	c.lose = func(_, _ int) bool { return true }
	c.nodes[0].Leave(c.now, "front")
	c.drain()
	c.lose = nil
	require.Equal(t, 2, c.held(), "left over")
	c.run(2*time.Second + 4*delay)
	require.Zero(t, c.held())
}

// A node that the others had taken for dead, without its knowing, is asked at once for all that it has registered: until then they are not sure.
func TestBackFromTheDead(t *testing.T) {
	c := newCluster(3)
	c.register(t, 0, "front", entry("p", ""))
	c.rest()
	c.sees = func(n, other int) bool { return n == 0 || other != 0 } // node 0 sees all
	c.know()
	require.Equal(t, absent, c.find(t, 1, key("p")))
	c.rest()
	c.sees = nil
	c.know()
	c.drain()
	require.Equal(t, found(entry("p", "")), c.find(t, 1, key("p")))
	require.Equal(t, 2, c.held())
	for i := range 5000 { // names that come and go
		c.nodes[1].SetMembers(c.now, []directory.Member{{Name: fmt.Sprint("x", i)}})
		*c.nodes[1].Output() = directory.Output{}
	}
	c.know()
	c.rest()
	require.Equal(t, 2, c.held())
}

// A node whose beats do not come, while it is a member, loses its entries after ten seconds.
func TestLease(t *testing.T) {
	c := newCluster(2)
	c.register(t, 0, "front", entry("p", ""))
	c.rest()
	c.lose = func(_, _ int) bool { return true }
	c.run(8 * time.Second)
	require.Equal(t, 1, c.nodes[1].Held())
	c.run(5 * time.Second)
	require.Zero(t, c.nodes[1].Held())
}

// Large sets travel in messages of a bounded size.
func TestManyEntries(t *testing.T) {
	c := newCluster(1)
	for i, id := range ids(2500) {
		c.register(t, 0, "front", entry(id, strings.Repeat("v", i%1000)))
	}
	c.nodes[0].SetMembers(c.now, []directory.Member{{Name: "z", Incarnation: "1"}})
	out, total := c.nodes[0].Output().Messages, 0
	for _, m := range out {
		require.Equal(t, "z", m.To)
		require.LessOrEqual(t, len(m.Append(nil)), directory.MaxMessage)
		total += len(m.Entries)
	}
	require.Equal(t, 2500, total)
	require.Less(t, len(out), 40, "few, since they are filled")
}

// What is too long for a message is neither registered nor looked for.
func TestTooLong(t *testing.T) {
	c := newCluster(1)
	long := strings.Repeat("v", 4<<10)
	require.ErrorIs(t, c.nodes[0].Register(c.now, "front", entry("p", long)), directory.ErrTooLong)
	_, err := c.nodes[0].Lookup(c.now, key(long))
	require.ErrorIs(t, err, directory.ErrTooLong)
	c.register(t, 0, "front", directory.Entry{Key: directory.Key{ID: long}})
}

// Two fronts of a node may have one id, a copy beside its original. The one with the higher version stays, whoever comes last.
func TestCopiesOnOneNode(t *testing.T) {
	c := newCluster(2)
	original, copied := entry("p", "original"), entry("p", "copy")
	original.Version = 1
	c.register(t, 0, "a", copied)
	c.register(t, 0, "b", original)
	c.register(t, 0, "a", copied)
	c.nodes[0].Unregister(c.now, "a", key("p"))
	c.rest()
	require.Equal(t, found(original), c.find(t, 1, key("p")))
	require.Equal(t, 1, c.nodes[0].Registered())
}

func TestWhatMakesNoSense(t *testing.T) {
	c := newCluster(2)
	d := c.nodes[0]
	c.rest()
	token, err := d.Lookup(c.now, key("p"))
	require.NoError(t, err)
	for _, m := range []directory.Message{
		{Kind: 99},
		{Kind: directory.Query},
		{Kind: directory.Query, Entries: []directory.Entry{entry("a", ""), entry("b", "")}},
		{Kind: directory.Answer, Token: 77},
		{Kind: directory.Answer, Token: token, Unsure: true},
		{Kind: directory.Answer, Token: token, Unsure: true, Entries: []directory.Entry{entry("another", "")}},
		{Kind: directory.Remove, Entries: []directory.Entry{entry("never", "")}},
	} {
		d.Receive(c.now, "n1", &m)
	}
	d.Receive(c.now, "stranger", &directory.Message{Kind: directory.Put, Entries: []directory.Entry{entry("p", "")}})
	require.Empty(t, d.Output().Results)
	require.Zero(t, d.Held())
	c.drain()
	require.Equal(t, directory.Absent, c.result(t, 0, token).Status)
}

// All nodes must find the same holders, and versions of the program must agree on them. Two nodes of five hold two fifths each.
func TestWeight(t *testing.T) {
	require.Equal(t, uint64(0xe06dd043328bd285), directory.Weight(1, 2))
	c := newCluster(5)
	for _, id := range ids(5000) {
		c.register(t, 0, "front", entry(id, ""))
	}
	c.rest()
	for n := range c.nodes {
		require.InDelta(t, 2000, c.nodes[n].Held(), 150)
	}
	held := c.held()
	c.die(4)
	c.know()
	c.rest()
	require.Equal(t, held, c.held())
}

// Members in another order are the same.
func TestMembersThatStay(t *testing.T) {
	c := newCluster(3)
	c.rest()
	d := c.nodes[0]
	others := c.othersOf(0)
	slices.Reverse(others)
	d.SetMembers(c.now, others)
	token, err := d.Lookup(c.now, key("p"))
	require.NoError(t, err)
	c.drain()
	require.Equal(t, directory.Absent, c.result(t, 0, token).Status, "nobody has to settle")
	require.Greater(t, d.NextTimeout(), unit.Time(0))
}
