package transport

import (
	"crypto/rand"
	"net/netip"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/engine/ice"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/srtp"
	"gazpacho/engine/unit"
)

// Link is a way to peers: a UDP socket, or one TCP connection.
type Link struct {
	ID        uint32 // unique within the process; part of a tuple
	Protocol  api.Protocol
	Local     netip.AddrPort
	Remote    netip.AddrPort // of a TCP connection
	Announced string         // the address that candidates announce, if it is another one
	// Send sends a batch to one destination without blocking; a TCP connection has only one.
	Send func(to netip.AddrPort, b *netio.Batch) (sent, dropped int)
	// Admit keeps a TCP connection open once ICE accepted its peer, Close closes it. Both are nil for UDP, whose socket lives as
	// long as its transport or WebRtcServer.
	Admit, Close func()
}

// Tuple returns the tuple of what comes from an address by this link.
func (l *Link) Tuple(from netip.AddrPort) ice.Tuple {
	protocol := ice.UDP
	if l.Protocol == api.ProtocolTCP {
		protocol = ice.TCP
	}
	return ice.Tuple{Protocol: protocol, Socket: l.ID, Remote: from}
}

// Datagram is a received datagram with its tuple, whose Remote is the sender.
type Datagram struct {
	Buffer *packet.Buffer
	Tuple  ice.Tuple
}

// DemuxTable leads from the ports of a WebRtcServer to its transports. A transport enters the username fragments and tuples that
// its peers use. Calls return at once and may come from any shard.
type DemuxTable interface {
	AddFragment(usernameFragment string)
	RemoveFragment(usernameFragment string)
	AddTuple(ice.Tuple)
	RemoveTuple(ice.Tuple)
}

// noDemuxTable is the table of a transport with ports of its own.
type noDemuxTable struct{}

func (noDemuxTable) AddFragment(string)    {}
func (noDemuxTable) RemoveFragment(string) {}
func (noDemuxTable) AddTuple(ice.Tuple)    {}
func (noDemuxTable) RemoveTuple(ice.Tuple) {}

// WebRtcConfig is what a WebRtcTransport gets beside its options.
type WebRtcConfig struct {
	Certificate    *dtls.Certificate
	Candidates     []api.ICECandidate
	ConsentTimeout time.Duration // 0 = none
	DemuxTable     DemuxTable    // nil when the transport has ports of its own
	// Close releases the transport's own ports; nil when it has none.
	Close func()
}

// webRtc is the backend of a WebRtcTransport: ICE lite finds the peer's address, DTLS agrees on keys, SRTP carries media and
// DTLS itself carries data.
type webRtc struct {
	t          *Transport
	ice        *ice.Server
	dtls       *dtls.Transport
	candidates []api.ICECandidate
	config     WebRtcConfig

	links    map[uint32]*Link // of the tuples that ICE knows, and of the STUN request being handled
	selected *Link
	peer     netip.AddrPort // of the selected tuple
	unproven unproven       // time that media went to a tuple which was only nominated
	sender   *srtp.Sender
	receiver *srtp.Receiver

	dtlsRole      dtls.Role
	dtlsState     api.DTLSState
	fingerprints  []api.Fingerprint // the peer's, known once connect was called
	connectCalled bool
	wasConnected  bool
	draining      bool // drainDTLS is running
	output        dtls.Output
	stun          []byte

	disconnections uint64 // of ICE
}

// WebRtc is what a WebRtcTransport has beyond any transport.
type WebRtc struct {
	*Transport
	backend *webRtc
}

// Lengths of username fragments and passwords in characters: mediasoup's value, and the least of RFC 8445 section 5.3.
const (
	iceCredentialLen = 32
	minFragmentLen   = 4
	minPasswordLen   = 22
)

// randomString returns n characters of the ice-char alphabet (RFC 8839 section 5.4) that carry six bits of entropy each.
func randomString(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	b := make([]byte, n)
	rand.Read(b) // crypto/rand.Read never fails
	for i := range b {
		b[i] = alphabet[b[i]%64]
	}
	return string(b)
}

// NewWebRtc returns a WebRtcTransport. The owner serves its ports, and hands what they receive to HandleDatagrams.
func NewWebRtc(id string, options *api.WebRtcTransportOptions, config WebRtcConfig, env Env) (*WebRtc, error) {
	t, err := newTransport(id, options.Base, true, env)
	if err != nil {
		return nil, err
	}
	if config.DemuxTable == nil {
		config.DemuxTable = noDemuxTable{}
	}
	fragment, password := randomString(iceCredentialLen), randomString(iceCredentialLen)
	if r := options.Base.Restore; r != nil && r.ICEParameters != nil {
		fragment, password = r.ICEParameters.UsernameFragment, r.ICEParameters.Password
		if len(fragment) < minFragmentLen || len(password) < minPasswordLen {
			return nil, api.TypeErrorf("the ICE credentials to restore are too short")
		}
	}
	c := &webRtc{
		t: t, candidates: config.Candidates, config: config, links: map[uint32]*Link{},
		ice:  ice.New(fragment, password, config.ConsentTimeout),
		dtls: dtls.New(config.Certificate, env.Wake),
	}
	t.backend = c
	c.drainICE(0)
	return &WebRtc{t, c}, nil
}

// Connect answers WEBRTCTRANSPORT_CONNECT.
func (w *WebRtc) Connect(now unit.Time, req *api.WebRtcTransportConnectRequest) (*api.WebRtcTransportConnectResponse, error) {
	c := w.backend
	switch {
	case c.connectCalled:
		return nil, api.Errorf("connect() already called")
	case req.DTLSParameters == nil || len(req.DTLSParameters.Fingerprints) == 0:
		return nil, api.TypeErrorf("empty dtlsParameters.fingerprints array")
	}
	// A peer with role auto leaves the choice to us: be the client, as mediasoup.
	role := dtls.Client
	if req.DTLSParameters.Role == api.DTLSRoleClient {
		role = dtls.Server
	}
	c.dtlsRole, c.fingerprints, c.connectCalled = role, req.DTLSParameters.Fingerprints, true
	c.startDTLS(now)
	return &api.WebRtcTransportConnectResponse{DTLSLocalRole: role}, nil
}

// RestartICE answers TRANSPORT_RESTART_ICE.
func (w *WebRtc) RestartICE(now unit.Time) *api.TransportRestartICEResponse {
	c := w.backend
	c.ice.Restart(now, randomString(iceCredentialLen), randomString(iceCredentialLen))
	c.drainICE(now)
	return &api.TransportRestartICEResponse{
		UsernameFragment: c.ice.UsernameFragment(), Password: c.ice.Password(), ICELite: true,
	}
}

// startDTLS begins the handshake when both are known: the peer's address, and its certificate's fingerprint. A handshake that
// failed, or an association that the peer closed, begins anew with the next state of ICE, as in mediasoup.
func (c *webRtc) startDTLS(now unit.Time) {
	running := c.dtlsState == api.DTLSStateConnecting || c.dtlsState == api.DTLSStateConnected
	if running || !c.connectCalled || c.selected == nil {
		return
	}
	if err := c.dtls.Start(c.dtlsRole, c.fingerprints); err != nil {
		c.t.env.Log.Error("DTLS does not start", "tag", "dtls", "transportId", c.t.id, "reason", err)
	}
	c.drainDTLS(now)
}

func (c *webRtc) iceConnected() bool {
	state := c.ice.State()
	return state == ice.Connected || state == ice.Completed
}

func (c *webRtc) connected() bool {
	return c.selected != nil && c.sender != nil && c.dtlsState == api.DTLSStateConnected && c.iceConnected()
}

func (c *webRtc) secured() bool { return true }

// poll takes what DTLS did on its own goroutines.
func (c *webRtc) poll(now unit.Time) { c.drainDTLS(now) }

// drainICE acts on ICE's output.
func (c *webRtc) drainICE(now unit.Time) {
	out := c.ice.Output()
	for _, fragment := range out.AddedFragments {
		c.config.DemuxTable.AddFragment(fragment)
	}
	for _, fragment := range out.RemovedFragments {
		c.config.DemuxTable.RemoveFragment(fragment)
	}
	for _, tuple := range out.AddedTuples {
		c.config.DemuxTable.AddTuple(tuple)
		if link := c.links[tuple.Socket]; link != nil && link.Admit != nil {
			link.Admit()
		}
	}
	for _, tuple := range out.RemovedTuples {
		c.removeTuple(tuple)
	}
	for _, tuple := range out.SelectedTuples {
		c.selectTuple(now, tuple)
	}
	for _, state := range out.States {
		c.changeICEState(now, state)
	}
	out.Reset()
	c.t.lowerDeadline(c.ice.NextTimeout())
}

func (c *webRtc) removeTuple(tuple ice.Tuple) {
	c.config.DemuxTable.RemoveTuple(tuple)
	link := c.links[tuple.Socket]
	if link == nil || link.Close == nil {
		return
	}
	delete(c.links, tuple.Socket)
	link.Close()
}

func (c *webRtc) selectTuple(now unit.Time, tuple ice.Tuple) {
	c.selected, c.peer = c.links[tuple.Socket], tuple.Remote
	c.t.news.emit(now, c.t, &api.Notification{
		HandlerID: c.t.id, Event: api.EventWebRtcTransportICESelectedTupleChange,
		Body: &api.WebRtcTransportICESelectedTupleChangeNotification{Tuple: c.selectedTuple()},
	})
}

func (c *webRtc) changeICEState(now unit.Time, state ice.State) {
	c.t.env.Figures.ICEStates[state]++
	c.t.emit(c.t.id, api.EventWebRtcTransportICEStateChange,
		&api.WebRtcTransportICEStateChangeNotification{ICEState: state})
	if state == ice.Disconnected {
		c.disconnections++
		c.selected = nil
		c.disconnected(now)
		return
	}
	c.startDTLS(now)
	c.mayBeConnected(now)
}

// mayBeConnected calls the transport's connected once ICE and DTLS are both up.
func (c *webRtc) mayBeConnected(now unit.Time) {
	if c.connected() && !c.wasConnected {
		c.wasConnected = true
		c.t.connected(now)
	}
}

func (c *webRtc) disconnected(now unit.Time) {
	if c.wasConnected {
		c.wasConnected = false
		c.t.disconnected(now)
	}
}

// drainDTLS acts on DTLS's output. That may give DTLS more to do, such as SCTP packets to write: the outermost call handles it
// too.
func (c *webRtc) drainDTLS(now unit.Time) {
	if c.draining {
		return
	}
	c.draining = true
	defer func() { c.draining = false }()
	for out := &c.output; ; {
		c.dtls.Poll(out)
		if len(out.Datagrams)+len(out.States)+len(out.Data) == 0 {
			return
		}
		for _, b := range out.Datagrams {
			c.sendRaw(now, b)
		}
		for i := range out.States {
			c.changeDTLSState(now, &out.States[i])
		}
		for _, b := range out.Data {
			c.t.handleSCTP(now, b)
		}
	}
}

func (c *webRtc) changeDTLSState(now unit.Time, change *dtls.StateChange) {
	c.dtlsState = change.State
	c.t.env.Figures.DTLSStates[change.State]++
	switch change.State {
	case api.DTLSStateConnected:
		if err := c.setKeys(&change.SRTP); err != nil {
			c.t.env.Log.Error("SRTP keys of DTLS are unusable", "tag", "dtls", "transportId", c.t.id, "reason", err)
			return
		}
		// The peer answered what we sent to the selected tuple.
		if tuple, ok := c.ice.Selected(); ok {
			c.ice.Prove(tuple)
		}
	case api.DTLSStateFailed:
		c.t.env.Log.Warn("DTLS failed", "tag", "dtls", "transportId", c.t.id, "reason", change.Reason)
	}
	c.t.emit(c.t.id, api.EventWebRtcTransportDTLSStateChange,
		&api.WebRtcTransportDTLSStateChangeNotification{DTLSState: change.State, RemoteCert: change.RemoteCertificate})
	if change.State == api.DTLSStateConnected {
		c.mayBeConnected(now)
	} else if change.State != api.DTLSStateConnecting {
		c.disconnected(now)
	}
}

func (c *webRtc) setKeys(keys *dtls.SRTP) (err error) {
	suite, ok := suiteOf(keys.Suite)
	if !ok {
		panic("transport: DTLS agreed on an SRTP suite that was not offered")
	}
	if c.sender, err = srtp.NewSender(suite, keys.LocalKeySalt); err != nil {
		return err
	}
	c.receiver, err = srtp.NewReceiver(suite, keys.RemoteKeySalt)
	return err
}

func (c *webRtc) selectedTuple() *api.TransportTuple {
	if c.selected == nil {
		return nil
	}
	local := c.selected.Announced
	if local == "" {
		local = IPString(c.selected.Local)
	}
	return &api.TransportTuple{
		LocalAddress: local, LocalPort: c.selected.Local.Port(),
		RemoteIP: IPString(c.peer), RemotePort: c.peer.Port(), Protocol: c.selected.Protocol,
	}
}

func (c *webRtc) timeout(now unit.Time) {
	if c.ice.NextTimeout() <= now {
		c.ice.HandleTimeout(now)
		c.drainICE(now)
	}
}

func (c *webRtc) nextTimeout() unit.Time { return c.ice.NextTimeout() }

func (c *webRtc) dump() api.ResponseBody {
	return &api.WebRtcTransportDumpResponse{
		Base:    c.t.baseDump(),
		ICERole: api.ICERoleControlled,
		ICEParameters: &api.ICEParameters{
			UsernameFragment: c.ice.UsernameFragment(), Password: c.ice.Password(), ICELite: true,
		},
		ICECandidates: c.candidates, ICEState: c.ice.State(), ICESelectedTuple: c.selectedTuple(),
		DTLSParameters: &api.DTLSParameters{Fingerprints: c.config.Certificate.Fingerprints(), Role: c.dtlsRole},
		DTLSState:      c.dtlsState,
	}
}

func (c *webRtc) stats(now unit.Time) api.ResponseBody {
	return &api.WebRtcTransportGetStatsResponse{
		Base: c.t.baseStats(now), ICERole: api.ICERoleControlled, ICEState: c.ice.State(),
		ICESelectedTuple: c.selectedTuple(), DTLSState: c.dtlsState,
	}
}

// emitBroken notifies of the states of a transport whose peer is gone, unless the application knows them already.
func (c *webRtc) emitBroken() {
	if c.ice.State() != ice.Disconnected {
		c.t.emit(c.t.id, api.EventWebRtcTransportICEStateChange,
			&api.WebRtcTransportICEStateChangeNotification{ICEState: ice.Disconnected})
	}
	if c.dtlsState != api.DTLSStateFailed && c.dtlsState != api.DTLSStateClosed {
		c.t.emit(c.t.id, api.EventWebRtcTransportDTLSStateChange,
			&api.WebRtcTransportDTLSStateChangeNotification{DTLSState: api.DTLSStateFailed})
	}
}

// close sends close_notify and releases the ports, even if sending panics.
func (c *webRtc) close() {
	defer c.release()
	c.dtls.Close()
	c.dtls.Poll(&c.output)
	if c.selected != nil {
		for _, b := range c.output.Datagrams {
			c.sendRaw(0, b)
		}
	}
}

// release closes the ports, or removes what the transport entered in the WebRtcServer's table.
func (c *webRtc) release() {
	if c.config.Close != nil {
		defer c.config.Close()
	}
	c.ice.Close()
	c.drainICE(0)
	for _, link := range c.links {
		if link.Close != nil {
			link.Close()
		}
	}
	clear(c.links)
	c.selected = nil
}
