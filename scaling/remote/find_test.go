package remote_test

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/directory"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/remote"
	"gazpacho/scaling/session"
)

// abyss is a bus that loses everything.
type abyss struct{}

func (abyss) Send(string, []byte, bool) {}
func (abyss) Lost() uint64              { return 0 }

// isolate makes a node a part of a directory of which nobody else answers.
func isolate(s *remote.Server, name string) {
	s.JoinDirectory(directory.Member{Name: name, Incarnation: "1"}, abyss{})
	var rows []membership.Row
	for _, other := range []string{name, "x", "y", "z"} {
		rows = append(rows, membership.Row{Condition: membership.Alive, Node: membership.Node{Name: other, Incarnation: "1"}})
	}
	s.HandleNodes(rows)
}

// found is what a node answers.
type found struct {
	Number uint64 `json:"number"`
	Error  string `json:"error"`
}

// found reads on until a question is answered.
func (f *rawFront) found() found {
	f.t.Helper()
	for {
		var p struct{ Found *found }
		if b := f.payload(); b[0] == 'c' && json.Unmarshal(b[1:], &p) == nil && p.Found != nil {
			return *p.Found
		}
	}
}

// A front has so many questions at once. Each is answered, if need be that there is no answer.
func TestQuestionsAreBounded(t *testing.T) {
	t.Parallel()
	address, s := rawNode(t, remote.ServerOptions{Name: "a", NewWorker: newEngine})
	isolate(s, "a")
	f := newRawFront(t, address, session.SessionID{1}, 1)
	f.send(open)
	for i := range 257 {
		f.send(fmt.Appendf(nil, `c{"find":{"number":%d,"id":"p%d"}}`, i, i))
	}
	require.Equal(t, found{256, "too many questions at once"}, f.found())
	answered := map[uint64]bool{}
	for range 256 {
		answer := f.found()
		require.Equal(t, "no node that should know answers", answer.Error)
		answered[answer.Number] = true
	}
	require.Len(t, answered, 256)
	require.EqualValues(t, 256, s.Status().Directory.Failed)
}

// A front asks another node if one has no answer, as long as it waits, and looks for so many producers at once.
func TestNobodyKnows(t *testing.T) {
	t.Parallel()
	dir := tenants(t)
	nodes := []*member{startMember(t, dir, "a", "127.0.0.1:0"), startMember(t, dir, "b", "127.0.0.1:0")}
	for _, m := range nodes {
		isolate(m.Server, m.row.Name)
	}
	s := search(t, dir, "edumeet", nodes...)
	_, err := s.find("p")
	require.Error(t, err, "each node may take four of the five seconds")
	errs := make(chan error, 300)
	for range cap(errs) {
		s.Find("p", func(_ string, err error) { errs <- err })
	}
	require.ErrorContains(t, <-errs, "too many producers are looked for at once")
	for _, m := range nodes {
		m.Close()
	}
	for range cap(errs) - 1 {
		require.Error(t, <-errs)
	}
}

// A node that has a producer may be one that this front does not know yet, or cannot reach.
func TestFoundOutOfReach(t *testing.T) {
	t.Parallel()
	dir := tenants(t)
	nodes := joined(t, dir, true, "a", "b")
	furnish(search(t, dir, "edumeet", nodes[1]).clients[0], "r")
	_, err := (&searcher{Cluster: remote.NewCluster(remote.ClusterOptions{})}).find("r-p")
	require.ErrorContains(t, err, "no node to ask")
	hidden := nodes[1].row
	hidden.Addresses, hidden.Host = []string{"unix:/nowhere"}, "another"
	nodes[0].HandleNodes([]membership.Row{hidden})
	s := search(t, dir, "other", nodes[0])
	require.Eventually(t, func() bool {
		node, err := s.find("r-p")
		return err == nil && node == "b"
	}, patience, time.Millisecond)
}

// What a node was asked that becomes silent is not waited for.
func TestQuestionToASilentNode(t *testing.T) {
	t.Parallel()
	node := newScripted(t)
	go func() {
		for {
			c, err := node.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 1<<16)
			n, _ := c.Read(b)
			if first, _, ok, _ := session.ReadFirst(b[:n]); ok && node.node.Accept(unixTime, *first.Hello) == 0 {
				c.Write(node.node.Output().Bytes) // a welcome, and no pong ever
				node.node.Output().Reset()
			}
			io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	c := remote.NewCluster(remote.ClusterOptions{Seeds: []string{node.address()}})
	w := &watcher{cluster: c}
	w.dial(t, c.Seeds()[0])
	s := &searcher{Cluster: c, t: t}
	require.Eventually(t, func() bool {
		_, err := s.find("p")
		return err != nil && err.Error() == "node "+node.address()+": the node is silent"
	}, longest, time.Millisecond)
}

// Operators find producers of all tenants by any node, and hear who could not be asked.
func TestAskFind(t *testing.T) {
	t.Parallel()
	dir := tenants(t)
	a, b := startMember(t, dir, "a", "127.0.0.1:0"), startMember(t, dir, "b", "127.0.0.1:0")
	away := membership.Row{Condition: membership.Dead, Node: membership.Node{Name: "c", Addresses: []string{"127.0.0.1:1"}}}
	rows := []membership.Row{a.row, b.row, away}
	for _, m := range []*member{a, b} {
		m.SetMembers(func() []membership.Row { return slices.Clone(rows) })
	}
	school, university := search(t, dir, "edumeet", b), search(t, dir, "foreign", a)
	furnish(school.clients[0], "r")
	furnish(university.clients[0], "r", "only-there")
	me := client(t, dir, identity.Operator, "me")
	for _, via := range []*member{a, b} {
		p, err := remote.AskFind(t.Context(), via.address(), me, "r-p")
		require.NoError(t, err)
		require.Equal(t, []remote.Place{
			{Node: "a", Tenant: "university", Application: "foreign", Router: "r"},
			{Node: "b", Tenant: "school", Application: "edumeet", Router: "r"},
		}, p.Found)
		require.Len(t, p.Unasked, 1)
		require.Contains(t, p.Unasked[0], "c: dial tcp 127.0.0.1:1")
		p, err = remote.AskFind(t.Context(), via.address(), me, "only-there-p")
		require.NoError(t, err)
		require.Len(t, p.Found, 1)
		p, err = remote.AskFind(t.Context(), via.address(), me, "r")
		require.NoError(t, err)
		require.Empty(t, p.Found, "a Router is none")
	}
	_, err := remote.AskFind(t.Context(), a.address(), client(t, dir, identity.Application, "edumeet"), "r-p")
	require.ErrorContains(t, err, "wrong identity")
}
