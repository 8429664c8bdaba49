package directory_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/internal/fuzzseed"
	"gazpacho/scaling/directory"
)

// messages are of all kinds.
func messages() []directory.Message {
	several := []directory.Entry{
		{Key: directory.Key{Tenant: "school", ID: "p1"}, Value: "n1", Version: 1},
		{Key: directory.Key{Tenant: "school", ID: "p2"}, Value: "n1", Version: math.MaxUint64},
		{Key: directory.Key{ID: "p3"}, Value: strings.Repeat("v", 300)},
		{Key: directory.Key{ID: "p4"}},
	}
	return []directory.Message{
		{Kind: directory.Put, First: true, Entries: several},
		{Kind: directory.Put, First: true},
		{Kind: directory.Remove, Entries: []directory.Entry{{Key: key("p1")}, {Key: key("p2")}}},
		{Kind: directory.Beat, Count: math.MaxInt32, Digest: math.MaxUint64},
		{Kind: directory.Resync},
		{Kind: directory.Query, Token: 7, Entries: []directory.Entry{{Key: key("p1")}}},
		{Kind: directory.Answer, Token: math.MaxUint64, Unsure: true},
		{Kind: directory.Answer, Token: 7, Entries: several[:1]},
	}
}

func TestMessagesComeBack(t *testing.T) {
	for _, m := range messages() {
		b := m.Append(nil)
		got, err := directory.Parse(b)
		require.NoError(t, err)
		require.Equal(t, m, got)
		for n := range b {
			_, err := directory.Parse(b[:n])
			require.ErrorIs(t, err, directory.ErrMalformed, "cut after %d bytes", n)
		}
		_, err = directory.Parse(append(b, 0))
		require.ErrorIs(t, err, directory.ErrMalformed)
	}
}

// What entries have in common travels once: a producer's id and little else.
func TestMessagesAreShort(t *testing.T) {
	m := directory.Message{Kind: directory.Put}
	for _, id := range ids(100) {
		m.Entries = append(m.Entries, entry(id, strings.Repeat("v", 100)))
	}
	require.Equal(t, 6+100*(3+len("p00000"))+1+len("school")+1+100, len(m.Append(nil)))
}

func TestMessagesThatAreNone(t *testing.T) {
	long := directory.Message{Kind: directory.Put, Entries: []directory.Entry{entry("p", strings.Repeat("v", 4<<10))}}
	for name, b := range map[string][]byte{
		"kind 0":                {0, 0, 0, 0, 0, 0},
		"kind 7":                {7, 0, 0, 0, 0, 0},
		"unknown flags":         {1, 4, 0, 0, 0, 0},
		"a count of 2^32":       {3, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0, 0},
		"no entries":            {1, 0, 0, 0, 0, 100},
		"unknown entry flags":   {1, 0, 0, 0, 0, 1, 7, 0, 0},
		"a long entry":          long.Append(nil),
		"more than a bus takes": slices.Concat((&directory.Message{Kind: directory.Resync}).Append(nil), make([]byte, directory.MaxMessage)),
	} {
		_, err := directory.Parse(b)
		require.ErrorIs(t, err, directory.ErrMalformed, name)
	}
}

// What can be read is what is written again. A machine takes it, and sends no more than what it was asked for.
func FuzzMessage(tf *testing.F) {
	f := fuzzseed.New(tf, 3000)
	for _, m := range messages() {
		f.Add(m.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := directory.Parse(b)
		if err != nil {
			return
		}
		again, err := directory.Parse(m.Append(nil))
		require.NoError(t, err)
		require.Equal(t, m, again)
		c := newCluster(2)
		c.register(t, 0, "front", entry("p1", ""))
		*c.nodes[0].Output() = directory.Output{}
		c.nodes[0].Receive(c.now, "n1", &m)
		require.LessOrEqual(t, len(c.nodes[0].Output().Messages), 1)
		require.LessOrEqual(t, c.nodes[0].Held(), 1+len(m.Entries))
	})
}
