package monitor

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"gazpacho/engine/look"
)

// Overview is all hosts, what connects them, and the applications on them.
type Overview struct {
	At     int64     `json:"at"` // milliseconds since 1970
	Nodes  []NodeRow `json:"nodes"`
	Pipes  []PipeRow `json:"pipes"`
	Owners []Owner   `json:"owners"`
	Sums   look.Sums `json:"sums"`
	Rooms  int       `json:"rooms"` // with transports
	CPU    float64   `json:"cpu"`   // on average over the nodes that answer
	// Lost is how many ends of relays have an other end that is not seen: on a node that does not answer.
	Lost int `json:"lostRelays"`
}

// NodeRow is a node or worker.
type NodeRow struct {
	Name    string    `json:"name"`
	Address string    `json:"address"`
	Host    string    `json:"host,omitempty"`
	State   string    `json:"state"`
	Region  string    `json:"region,omitempty"`
	Zone    string    `json:"zone,omitempty"`
	Error   string    `json:"error,omitempty"`
	Version string    `json:"version,omitempty"`
	Release string    `json:"release,omitempty"`
	PID     int       `json:"pid,omitempty"`
	Since   int64     `json:"since,omitempty"`
	CPU     float64   `json:"cpu"`
	Shards  int       `json:"shards"`
	Busiest float64   `json:"busiest"` // share of the time that the busiest shard is busy
	Delay   float64   `json:"delay"`   // seconds that messages wait at most
	Rooms   int       `json:"rooms"`
	Sums    look.Sums `json:"sums"`
	Trend   *Trend    `json:"trend,omitempty"`
}

// PipeRow is what goes between two nodes.
type PipeRow struct {
	A       string `json:"a"`
	B       string `json:"b"`
	Relays  int    `json:"relays"`
	Rooms   int    `json:"rooms"`
	ToA     uint64 `json:"toA"` // bits per second
	ToB     uint64 `json:"toB"`
	Links   int    `json:"links"`        // for data
	Broken  int    `json:"brokenLinks"`  // that are not connected
	Streams int    `json:"dataStreams"`  // data producers whose messages go over them
	Waiting int    `json:"waitingBytes"` // on them
	Lost    uint64 `json:"lostMessages"`
}

// Owner is an application.
type Owner struct {
	look.Owner
	Rooms     int       `json:"rooms"`
	Sums      look.Sums `json:"sums"`
	Nodes     []string  `json:"nodes"`
	Release   string    `json:"release,omitempty"`
	Connected int       `json:"connected"` // sessions of its workers with nodes that are connected
	Cut       int       `json:"cut"`       // that are not
}

// maxTrends is up to how many nodes the overview has trends of.
const maxTrends = 64

// overview makes the overview of what all processes have told. rooms are all Routers, each once.
func overview(now time.Time, nodes []seen, rooms []RoomRow, t trends) *Overview {
	o := &Overview{At: now.UnixMilli(), Nodes: []NodeRow{}, Rooms: len(rooms)}
	answer := 0
	for i := range nodes {
		row := rowOf(&nodes[i])
		if len(nodes) <= maxTrends {
			row.Trend = t.copyOf(row.Name)
		}
		o.Nodes = append(o.Nodes, row)
		o.Sums.Add(&row.Sums)
		if nodes[i].all != nil {
			o.CPU += row.CPU
			answer++
		}
	}
	if answer > 0 {
		o.CPU /= float64(answer)
	}
	o.Pipes, o.Lost = pipes(nodes)
	o.Owners = owners(nodes, rooms)
	return o
}

func rowOf(s *seen) NodeRow {
	row := NodeRow{
		Name: s.Name, Address: s.Address, Host: s.Host, State: s.State, Region: s.Region, Zone: s.Zone, Error: s.error, Version: s.Version,
	}
	if s.all == nil {
		row.State = cmp.Or(row.State, "unreachable")
		return row
	}
	all := s.all
	row.State = cmp.Or(row.State, "alive")
	row.Version, row.Release, row.PID, row.Since = all.Process.Version, all.Process.Release, all.Process.PID, all.Process.Since
	row.CPU, row.Rooms, row.Shards, row.Sums = all.CPU, all.Rooms, len(all.Shards), sumsOf(all)
	for _, shard := range all.Shards {
		row.Busiest, row.Delay = max(row.Busiest, shard.Busy), max(row.Delay, shard.Delay)
	}
	return row
}

// end is one end of a relay, as the other end would describe it.
type end struct {
	room          look.RoomID
	local, remote string
}

// pipes pairs the ends of relays, and adds the links for data. It also returns how many ends have no other.
func pipes(nodes []seen) (rows []PipeRow, lost int) {
	ends := map[end]string{}
	for i := range nodes {
		for _, r := range relaysOf(&nodes[i]) {
			ends[end{r.RoomID, r.Local, r.Remote}] = nodes[i].Name
		}
	}
	found := map[[2]string]*PipeRow{}
	rooms := map[[2]string]map[look.RoomID]bool{}
	between := func(a, b string) *PipeRow {
		key := [2]string{min(a, b), max(a, b)}
		if found[key] == nil {
			found[key], rooms[key] = &PipeRow{A: key[0], B: key[1]}, map[look.RoomID]bool{}
		}
		return found[key]
	}
	for i := range nodes {
		here := nodes[i].Name
		for _, r := range relaysOf(&nodes[i]) {
			there, ok := ends[end{r.RoomID, r.Remote, r.Local}]
			if !ok {
				lost++
				continue
			}
			row := between(here, there)
			if here != row.A && there != here { // each relay once
				row.ToB += r.RecvBitrate
				continue
			}
			row.ToA += r.RecvBitrate
			row.Relays++
			rooms[[2]string{row.A, row.B}][r.RoomID] = true
		}
		for _, l := range nodes[i].Links {
			if there := at(nodes, l.To); there != "" {
				between(here, there).addLink(&l)
			}
		}
	}
	rows = []PipeRow{}
	for key, row := range found {
		row.Rooms = len(rooms[key])
		rows = append(rows, *row)
	}
	slices.SortFunc(rows, func(a, b PipeRow) int { return cmp.Or(strings.Compare(a.A, b.A), strings.Compare(a.B, b.B)) })
	return rows, lost
}

func relaysOf(s *seen) []look.RelayEnd {
	if s.all == nil {
		return nil
	}
	return s.all.Relays
}

func (r *PipeRow) addLink(l *Link) {
	r.Links++
	r.Streams += l.Streams
	r.Waiting += l.Waiting
	r.Lost += l.Lost
	if !l.Connected {
		r.Broken++
	}
}

// at returns the name of the node that has an address, empty for none.
func at(nodes []seen, address string) string {
	if i := slices.IndexFunc(nodes, func(s seen) bool { return s.Address == address }); address != "" && i >= 0 {
		return nodes[i].Name
	}
	return ""
}

// owners adds up what each application has on all nodes.
func owners(nodes []seen, rooms []RoomRow) []Owner {
	found := map[look.Owner]*Owner{}
	of := func(id look.Owner) *Owner {
		if found[id] == nil {
			found[id] = &Owner{Owner: id, Nodes: []string{}}
		}
		return found[id]
	}
	for i := range rooms {
		of(rooms[i].Owner).Rooms++
	}
	for i := range nodes {
		n := &nodes[i]
		for _, f := range n.Fronts {
			o := of(f.Owner)
			o.Release = f.Release
			if f.Connected {
				o.Connected++
			} else {
				o.Cut++
			}
		}
		if n.all == nil {
			continue
		}
		for _, sum := range n.all.Owners {
			o := of(sum.Owner)
			o.Sums.Add(&sum.Sums)
			o.Nodes = append(o.Nodes, n.Name)
		}
	}
	all := make([]Owner, 0, len(found))
	for _, o := range found {
		all = append(all, *o)
	}
	slices.SortFunc(all, func(a, b Owner) int {
		return cmp.Or(strings.Compare(a.Tenant, b.Tenant), strings.Compare(a.Application, b.Application))
	})
	return all
}

// NodeView is all about one node or worker.
type NodeView struct {
	NodeRow
	Rows   []look.Shard    `json:"rows"` // of its shards
	Fronts []Front         `json:"fronts"`
	Owners []look.OwnerSum `json:"owners"`
}

// nodeView makes the view of a node.
func nodeView(s *seen, t trends) *NodeView {
	v := &NodeView{NodeRow: rowOf(s), Rows: []look.Shard{}, Fronts: s.Fronts, Owners: []look.OwnerSum{}}
	v.Trend = t.copyOf(s.Name)
	if s.all != nil {
		v.Rows, v.Owners = s.all.Shards, s.all.Owners
	}
	return v
}
