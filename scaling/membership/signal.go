package membership

// SignalKind is what a signal is about.
type SignalKind string

// Kinds of signals: see package steering.
const (
	CapacityShort SignalKind = "capacity-short" // of a region
	NodeIdle      SignalKind = "node-idle"
	NodeDrained   SignalKind = "node-drained"
)

// MaxSignals is how many signals a heartbeat carries, chosen here: they have about 100 bytes each.
const MaxSignals = 16

// Signal is something that lasts and that whoever starts and stops nodes should know.
type Signal struct {
	ID     string     `json:"id"`
	Kind   SignalKind `json:"kind"`
	Region string     `json:"region,omitempty"`
	Node   string     `json:"node,omitempty"` // what it is about, but for kinds that are about a region
	Since  int64      `json:"since"`          // Unix time in seconds
	// Over says that it does not last any more, and is only there until that is told.
	Over bool `json:"over,omitempty"`
	// Told says that a webhook has taken it, or its end if it is over.
	Told bool `json:"told,omitempty"`
}
