package sctp

import (
	"github.com/pion/logging"
	pion "github.com/pion/sctp"

	"gazpacho/engine/api"
)

// start begins the handshake, once. This side always sends an INIT and also answers the peer's, so that any two roles meet
// (RFC 9260 section 5.2.1). The caller holds mu.
func (a *Association) start() {
	e := &a.edge
	e.mu.Lock()
	defer e.mu.Unlock()
	if a.started || e.closed {
		return
	}
	a.started = true
	e.setState(api.SCTPStateConnecting)
	go a.connect()
}

// connect runs the handshake and ends with it. pion's own goroutines end when the edge closes.
func (a *Association) connect() {
	p, err := pion.ClientWithOptions(
		pion.WithNetConn(&a.edge),
		pion.WithName("sctp"),
		pion.WithLoggerFactory(silence{}),
		pion.WithMTU(a.cfg.MTU),
		pion.WithMaxMessageSize(a.cfg.MaxSendMessageSize),
		pion.WithMaxReceiveBufferSize(a.cfg.MaxReceiverWindowBufferSize),
		pion.WithMaxReassemblyQueueEntries(maxEntries),
		pion.WithEnableZeroChecksum(false),
		pion.WithEnableInterleaving(false),
		pion.WithMinCwnd(minCwndMTUs*a.cfg.MTU),
	)
	if err != nil {
		a.edge.terminate("handshake failed")
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.pion = p
	a.streams.window = &tsnWindow{cumulative: a.edge.peerTSN() - 1}
	a.edge.connected()
	a.pump()
}

// minCwndMTUs is upstream's value; pion's own minimum lets the window fall to one packet, from where it grows slowly.
const minCwndMTUs = 4

// silence discards pion's log, which would let a peer fill the disk.
type silence struct{}

func (silence) NewLogger(string) logging.LeveledLogger { return silence{} }

func (silence) Trace(string)          {}
func (silence) Tracef(string, ...any) {}
func (silence) Debug(string)          {}
func (silence) Debugf(string, ...any) {}
func (silence) Info(string)           {}
func (silence) Infof(string, ...any)  {}
func (silence) Warn(string)           {}
func (silence) Warnf(string, ...any)  {}
func (silence) Error(string)          {}
func (silence) Errorf(string, ...any) {}
