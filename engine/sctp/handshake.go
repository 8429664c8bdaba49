package sctp

import (
	"errors"
	"time"

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
	go a.connect(e.conn)
}

// connect runs the handshake and ends with it. pion's own goroutines end when their connection does. pion gives up long before
// a peer may come that is only being started, so it is asked again.
func (a *Association) connect(c *conn) {
	giveUp := time.Now().Add(a.cfg.InitTimeout)
	for ; c != nil; c = a.edge.renew() {
		p, err := pion.ClientWithOptions(options[pion.ClientOption](a, c)...)
		if err == nil {
			a.use(c, p)
			return
		}
		if !errors.Is(err, pion.ErrHandshakeInitAck) || !time.Now().Before(giveUp) {
			a.edge.terminate("handshake failed")
			return
		}
	}
}

// renew replaces the connection of a handshake that nobody answered; nil when the association is over.
func (e *edge) renew() *conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.conn.end()
	e.conn = &conn{e: e}
	return e.conn
}

// options configures pion for either role.
func options[O any](a *Association, c *conn) []O {
	var converted []O
	for _, option := range []pion.AssociationOption{
		pion.WithNetConn(c),
		pion.WithName("sctp"),
		pion.WithLoggerFactory(silence{}),
		pion.WithMTU(a.cfg.MTU),
		pion.WithMaxMessageSize(a.cfg.MaxSendMessageSize),
		pion.WithMaxReceiveBufferSize(a.cfg.MaxReceiverWindowBufferSize),
		pion.WithMaxReassemblyQueueEntries(maxEntries),
		pion.WithEnableZeroChecksum(false),
		pion.WithEnableInterleaving(false),
		pion.WithMinCwnd(minCwndMTUs * a.cfg.MTU),
		pion.WithRTOMax(float64(a.cfg.MaxRTO.Milliseconds())),
	} {
		converted = append(converted, option.(O))
	}
	return converted
}

// use makes a connection whose handshake is done the association's: the first one, or the one of a peer that restarted, which
// the caller is not told of.
func (a *Association) use(c *conn, p *pion.Association) {
	a.mu.Lock()
	defer a.mu.Unlock()
	peer, ok := a.edge.adopt(c)
	if !ok {
		return // it was given up meanwhile
	}
	if a.pion != nil {
		a.restart()
	}
	a.pion, a.conn = p, c
	a.streams.window = &tsnWindow{cumulative: peer.initialTSN - 1}
	a.pump()
}

// adopt tells that a handshake is done.
func (e *edge) adopt(c *conn) (peer initInfo, ok bool) {
	e.mu.Lock()
	if c.over {
		e.mu.Unlock()
		return initInfo{}, false
	}
	if e.next == c {
		e.conn.end()
		e.conn, e.next = c, nil
	}
	e.negotiated = api.SCTPNegotiatedCapabilities{
		NegotiatedMaxOutboundStreams: c.peer.in, NegotiatedMaxInboundStreams: c.peer.out,
	}
	e.out.Negotiated = e.negotiated
	if e.state != api.SCTPStateConnected {
		e.setState(api.SCTPStateConnected)
		e.startHeartbeat()
	}
	peer = c.peer
	e.changed.Broadcast()
	e.unlockAndWake()
	return peer, true
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
