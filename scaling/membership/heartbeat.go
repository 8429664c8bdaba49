package membership

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// MaxHeartbeat is the longest heartbeat in bytes, chosen here: most have a tenth.
const MaxHeartbeat = 4 << 10

// State is what a node says that it is about.
type State string

// States, in the order in which a node has them. Draining may go back to Serving.
const (
	Joining  State = "joining" // finds out whether its name is free; it is in no table yet
	Serving  State = "serving"
	Draining State = "draining" // takes nothing new, and ends when it is empty
	Leaving  State = "leaving"  // the last heartbeat
)

// Node is what a node says of itself. It is not modified once it was handed over.
type Node struct {
	// Name is that in the node's certificate.
	Name string `json:"name"`
	// Incarnation is drawn by each process anew.
	Incarnation string `json:"incarnation"`
	// Version is the program's.
	Version string `json:"version,omitempty"`
	// Host is the same for all nodes of a host.
	Host string `json:"host,omitempty"`
	// Addresses are those for sessions: "host:port", or "unix:/path" for its own host.
	Addresses []string `json:"addresses"`
	// Pipe is the IP address for media between nodes, empty if that is what a request says.
	Pipe string `json:"pipe,omitempty"`
	// ProbePort is its UDP port there at which others show that they reach it, 0 for none.
	ProbePort uint16 `json:"probe,omitempty"`
	// Labels say what it is: a region, a zone.
	Labels map[string]string `json:"labels,omitempty"`
	// Draining says that nothing new is to be placed there.
	Draining bool `json:"draining,omitempty"`
	// Watermark is the load, from 0 to 1, up to which it is to be filled; 0 if that is left to the fronts.
	Watermark float64 `json:"watermark,omitempty"`
	// Steers says that it can tell signals to the outside, Tells that it is the one that does.
	Steers bool `json:"steers,omitempty"`
	Tells  bool `json:"tells,omitempty"`
	// Signals are those that it tells.
	Signals []Signal `json:"signals,omitempty"`
	// Load is how busy it is.
	Load Load `json:"load"`
}

// Load is how busy a node is.
type Load struct {
	CPU        float64 `json:"cpu"`               // from 0 to 1, of the cores open to it, whoever uses them
	Network    float64 `json:"network,omitempty"` // likewise, of what its network carries, if the node knows that
	Assumed    float64 `json:"assumed,omitempty"` // what was placed there lately is assumed to add to that
	Fronts     int     `json:"fronts"`
	Routers    int     `json:"routers"`
	Transports int     `json:"transports"`
	In         Traffic `json:"in"`
	Out        Traffic `json:"out"`
}

// Traffic is what a node receives or sends in a second.
type Traffic struct {
	Packets  uint64 `json:"packets"` // datagrams of whatever protocol
	Kilobits uint64 `json:"kbit"`    // in them
}

// alike reports whether two nodes differ in nothing but how busy they are.
func (n *Node) alike(o *Node) bool {
	return n.Name == o.Name && n.Incarnation == o.Incarnation && n.Version == o.Version && n.Host == o.Host && n.Pipe == o.Pipe &&
		n.ProbePort == o.ProbePort && n.Draining == o.Draining && n.Watermark == o.Watermark && n.Steers == o.Steers && n.Tells == o.Tells &&
		slices.Equal(n.Signals, o.Signals) && slices.Equal(n.Addresses, o.Addresses) && maps.Equal(n.Labels, o.Labels)
}

// overhead is about what a row takes in memory beside its texts.
const overhead = 512

// size returns about how many bytes a node takes in a table.
func (n *Node) size() int {
	size := overhead + len(n.Name) + len(n.Incarnation) + len(n.Version) + len(n.Host) + len(n.Pipe)
	for _, a := range n.Addresses {
		size += 16 + len(a)
	}
	for _, s := range n.Signals {
		size += 96 + len(s.ID) + len(s.Kind) + len(s.Region) + len(s.Node)
	}
	for k, v := range n.Labels {
		size += 64 + len(k) + len(v)
	}
	return size
}

// Heartbeat is what a node tells all others once a second.
type Heartbeat struct {
	Node
	State State `json:"state"`
	// Number grows with each heartbeat of an incarnation, so that a late one is known.
	Number uint64 `json:"number"`
}

// Append appends the heartbeat in JSON, so that a later version may add to it.
func (h *Heartbeat) Append(b []byte) []byte {
	text, err := json.Marshal(h)
	if err != nil {
		panic(fmt.Sprintf("membership: a heartbeat cannot be encoded: %v", err)) // it is made of texts and numbers
	}
	return append(b, text...)
}

// ErrMalformed says that what came is no heartbeat.
var ErrMalformed = errors.New("malformed heartbeat")

// Parse reads a heartbeat of the node of the given name. What it says its name is does not count.
func Parse(name string, b []byte) (h Heartbeat, err error) {
	if len(b) > MaxHeartbeat {
		return Heartbeat{}, fmt.Errorf("%w: it has %d bytes, the limit is %d", ErrMalformed, len(b), MaxHeartbeat)
	}
	if err := json.Unmarshal(b, &h); err != nil {
		return Heartbeat{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	h.Name = name
	switch {
	case h.Incarnation == "":
		return Heartbeat{}, fmt.Errorf("%w: no incarnation", ErrMalformed)
	case !slices.Contains([]State{Joining, Serving, Draining, Leaving}, h.State):
		return Heartbeat{}, fmt.Errorf("%w: state %q", ErrMalformed, h.State)
	case !h.Load.possible() || h.Watermark < 0 || h.Watermark > 1:
		return Heartbeat{}, fmt.Errorf("%w: no load can be so", ErrMalformed)
	case len(h.Signals) > MaxSignals:
		return Heartbeat{}, fmt.Errorf("%w: %d signals", ErrMalformed, len(h.Signals))
	case !h.printable():
		return Heartbeat{}, fmt.Errorf("%w: texts that cannot be shown", ErrMalformed)
	}
	return h, nil
}

// Chosen here: more than any host can have.
const (
	maxCount   = 1 << 30
	maxRate    = 1 << 40 // packets or kilobits a second
	maxAssumed = 1000    // the load of as many transports as there are ports, on one core
)

// possible reports whether a node can be so busy.
func (l *Load) possible() bool {
	return l.CPU >= 0 && l.CPU <= 1 && l.Network >= 0 && l.Network <= 1 && l.Assumed >= 0 && l.Assumed <= maxAssumed && min(l.Fronts, l.Routers, l.Transports) >= 0 &&
		max(l.Fronts, l.Routers, l.Transports) <= maxCount && max(l.In.Packets, l.In.Kilobits, l.Out.Packets, l.Out.Kilobits) <= maxRate
}

// printable reports whether all texts may be written to a terminal.
func (n *Node) printable() bool {
	texts := append([]string{n.Incarnation, n.Version, n.Host, n.Pipe}, n.Addresses...)
	for k, v := range n.Labels {
		texts = append(texts, k, v)
	}
	for _, s := range n.Signals {
		texts = append(texts, s.ID, string(s.Kind), s.Region, s.Node)
	}
	return !slices.ContainsFunc(texts, func(text string) bool {
		return strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
	})
}
