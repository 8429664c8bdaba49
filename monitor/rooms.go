package monitor

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"gazpacho/engine/look"
)

// RoomRow is a Router, on all nodes together.
type RoomRow struct {
	look.RoomID
	look.Sums
	Nodes []string `json:"nodes"`
}

// Rooms is a part of the list of all Routers.
type Rooms struct {
	At      int64     `json:"at"` // milliseconds since 1970
	Rows    []RoomRow `json:"rows"`
	Matches int       `json:"matches"` // that the search finds
	Total   int       `json:"total"`
	Offset  int       `json:"offset"`
}

// Search says which part of the list of Routers is wanted.
type Search struct {
	Text   string // in the names of Routers, applications, tenants or nodes
	Sort   string // see the columns below
	Up     bool   // smallest first
	Offset int
	Limit  int
}

// maxRooms is how many Routers a page shows at once.
const maxRooms = 200

// columns are what the list can be sorted by.
var columns = map[string]func(a, b *RoomRow) int{
	"router":      func(a, b *RoomRow) int { return strings.Compare(a.Router, b.Router) },
	"application": func(a, b *RoomRow) int { return strings.Compare(a.Application, b.Application) },
	"nodes":       func(a, b *RoomRow) int { return cmp.Compare(len(a.Nodes), len(b.Nodes)) },
	"transports":  func(a, b *RoomRow) int { return cmp.Compare(a.Transports, b.Transports) },
	"producers":   func(a, b *RoomRow) int { return cmp.Compare(a.Producers, b.Producers) },
	"consumers":   func(a, b *RoomRow) int { return cmp.Compare(a.Consumers, b.Consumers) },
	"recvBitrate": func(a, b *RoomRow) int { return cmp.Compare(a.RecvBitrate, b.RecvBitrate) },
	"sendBitrate": func(a, b *RoomRow) int { return cmp.Compare(a.SendBitrate, b.SendBitrate) },
	"loss":        func(a, b *RoomRow) int { return cmp.Compare(max(a.LossIn, a.LossOut), max(b.LossIn, b.LossOut)) },
	"rtt":         func(a, b *RoomRow) int { return cmp.Compare(a.RTT, b.RTT) },
	"troubled":    func(a, b *RoomRow) int { return cmp.Compare(a.Troubled+a.None, b.Troubled+b.None) },
}

// roomList is the list of all Routers, kept for a while.
type roomList struct {
	mu    sync.Mutex
	rows  []RoomRow
	nodes map[look.RoomID][]string
	at    time.Time
	until time.Time
}

// listShare is how many times as long as making the list it is kept.
const listShare = 20

// list returns all Routers and when they were asked for.
func (w *Watch) list(ctx context.Context) (rows []RoomRow, nodes map[look.RoomID][]string, at time.Time) {
	l := &w.rooms
	l.mu.Lock()
	defer l.mu.Unlock()
	if begin := time.Now(); begin.After(l.until) {
		l.rows = gather(context.WithoutCancel(ctx), w.reachable()) // others want it too, if this one leaves meanwhile
		l.nodes = map[look.RoomID][]string{}
		for i := range l.rows {
			l.nodes[l.rows[i].RoomID] = l.rows[i].Nodes
		}
		l.at = time.Now()
		l.until = l.at.Add(max(period, listShare*l.at.Sub(begin)))
	}
	return l.rows, l.nodes, l.at
}

// gather asks nodes for all their Routers, and merges them.
func gather(ctx context.Context, nodes []Node) []RoomRow {
	parts := make([][]look.RoomSummary, len(nodes))
	each(nodes, func(i int, n Node) {
		q := look.Question{About: look.AboutRooms}
		for range listPages {
			var answer look.Rooms
			if n.ask(ctx, q, &answer) != nil || len(answer.Rooms) == 0 {
				return // what is missing is there again with the next list
			}
			parts[i] = append(parts[i], answer.Rooms...)
			if !answer.More {
				return
			}
			q.RoomID = answer.Rooms[len(answer.Rooms)-1].RoomID
		}
	})
	return merge(nodes, parts)
}

func merge(nodes []Node, parts [][]look.RoomSummary) []RoomRow {
	index := map[look.RoomID]int{}
	rows := []RoomRow{}
	for i, part := range parts {
		for j := range part {
			at, ok := index[part[j].RoomID]
			if !ok {
				at = len(rows)
				index[part[j].RoomID] = at
				rows = append(rows, RoomRow{RoomID: part[j].RoomID})
			}
			rows[at].Add(&part[j].Sums)
			rows[at].Nodes = append(rows[at].Nodes, nodes[i].Name)
		}
	}
	return rows
}

// find returns the part of the list that is wanted.
func find(rows []RoomRow, s Search, at time.Time) *Rooms {
	found := &Rooms{At: at.UnixMilli(), Total: len(rows), Offset: s.Offset, Rows: []RoomRow{}}
	text := strings.ToLower(s.Text)
	matching := make([]*RoomRow, 0, len(rows))
	for i := range rows {
		if rows[i].matches(text) {
			matching = append(matching, &rows[i])
		}
	}
	found.Matches = len(matching)
	compare := columns[s.Sort]
	if compare == nil {
		compare = columns["sendBitrate"]
	}
	slices.SortFunc(matching, func(a, b *RoomRow) int {
		order := compare(a, b)
		if !s.Up {
			order = -order
		}
		return cmp.Or(order, a.Compare(b.RoomID))
	})
	from := min(max(s.Offset, 0), len(matching))
	for _, row := range matching[from:min(from+max(min(s.Limit, maxRooms), 1), len(matching))] {
		found.Rows = append(found.Rows, *row)
	}
	return found
}

func (r *RoomRow) matches(text string) bool {
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	return text == "" || has(r.Router) || has(r.Application) || has(r.Tenant) || slices.ContainsFunc(r.Nodes, has)
}
