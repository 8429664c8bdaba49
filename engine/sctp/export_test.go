package sctp

// Window is the window of sequence numbers, for tests.
type Window = tsnWindow

// NewWindow makes one that has seen everything up to and including tsn.
func NewWindow(tsn uint32) *Window { return &tsnWindow{cumulative: tsn} }

// Cumulative returns up to where everything was seen.
func (w *tsnWindow) Cumulative() uint32 { return w.cumulative }

// Accept and Forward are the window's verbs.
func (w *tsnWindow) Accept(tsn uint32) bool { return w.accept(tsn) }

// Forward skips.
func (w *tsnWindow) Forward(tsn uint32) { w.forward(tsn) }

// MaxGap is how far ahead a chunk may be.
const MaxGap = maxGap

// Heartbeat makes pion measure the round trip, as it does by itself when a timer finds nothing in flight.
func (a *Association) Heartbeat() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pion.ActiveHeartbeat()
}

// Retransmissions is how a lifetime is translated.
var Retransmissions = retransmissions
