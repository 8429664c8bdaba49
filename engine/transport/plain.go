package transport

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/netip"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/netio"
	"gazpacho/engine/srtp"
	"gazpacho/engine/unit"
)

// Socket is a bound UDP socket. Send never blocks: what the kernel does not take is dropped.
type Socket interface {
	LocalAddr() netip.AddrPort
	Send(to netip.AddrPort, b *netio.Batch) (sent, dropped int)
	Close()
}

// plain is the conduit of a PlainTransport: RTP and RTCP over UDP, on one port or two, in clear or as SRTP with keys
// that the application exchanges.
type plain struct {
	t       *Transport
	rtcpMux bool
	comedia bool
	rtp     endpoint
	rtcp    endpoint // unused with rtcpMux
	srtp    *plainSRTP

	connectCalled bool
}

// endpoint is a socket with the one peer it talks to. The peer is the zero value until it is known.
type endpoint struct {
	socket    Socket
	announced string
	peer      netip.AddrPort
}

func (e *endpoint) tuple() *api.TransportTuple {
	local := e.socket.LocalAddr()
	tuple := &api.TransportTuple{LocalAddress: e.announced, LocalPort: local.Port(), Protocol: api.ProtocolUDP}
	if e.announced == "" {
		tuple.LocalAddress = local.Addr().String()
	}
	if e.peer.IsValid() {
		tuple.RemoteIP, tuple.RemotePort = e.peer.Addr().String(), e.peer.Port()
	}
	return tuple
}

// Plain is what a PlainTransport has beyond any transport.
type Plain struct {
	*Transport
	conduit *plain
}

// NewPlain returns a PlainTransport with its sockets bound. Nothing reads them yet: the owner serves the sockets and
// hands what they receive to HandleDatagrams.
func NewPlain(id string, options *api.PlainTransportOptions, env Env) (*Plain, error) {
	t, err := newTransport(id, options.Base, env)
	if err != nil {
		return nil, err
	}
	c := &plain{t: t, rtcpMux: options.RTCPMux, comedia: options.Comedia}
	if options.EnableSRTP {
		if options.SRTPCryptoSuite == nil {
			return nil, api.TypeErrorf("missing srtpCryptoSuite")
		}
		if c.srtp, err = newPlainSRTP(*options.SRTPCryptoSuite); err != nil {
			return nil, err
		}
	}
	if c.rtp, err = listen(options.ListenInfo, "listen", &env); err != nil {
		return nil, err
	}
	if !c.rtcpMux {
		info := options.RTCPListenInfo
		if info == nil {
			info = options.ListenInfo
		}
		if c.rtcp, err = listen(info, "RTCP listen", &env); err != nil {
			c.rtp.socket.Close()
			return nil, err
		}
	}
	t.conduit = c
	return &Plain{t, c}, nil
}

// listen opens the socket of a ListenInfo. Use is "listen" or "RTCP listen", for the error.
func listen(info *api.ListenInfo, use string, env *Env) (endpoint, error) {
	if info.Protocol != api.ProtocolUDP {
		return endpoint{}, api.TypeErrorf("unsupported %s protocol", use)
	}
	address, err := parseIP(info.IP)
	if err != nil {
		return endpoint{}, err
	}
	cfg := netio.UDPConfig{
		Address: address, Port: info.Port,
		SendBufferSize: int(info.SendBufferSize), RecvBufferSize: int(info.RecvBufferSize),
	}
	if info.Flags != nil {
		cfg.ReusePort, cfg.IPv6Only = info.Flags.UDPReusePort, info.Flags.IPv6Only
	}
	switch {
	case info.PortRange != nil && info.PortRange.Min != 0 && info.PortRange.Max != 0:
		cfg.Port, cfg.PortMin, cfg.PortMax = 0, info.PortRange.Min, info.PortRange.Max
	case info.Port == 0:
		cfg.PortMin, cfg.PortMax = env.RTCMinPort, env.RTCMaxPort
	}
	socket, err := env.Listen(cfg)
	if err != nil {
		return endpoint{}, bindError(err)
	}
	return endpoint{socket: socket, announced: info.AnnouncedAddress}, nil
}

func bindError(err error) error {
	var bind *netio.BindError
	if errors.As(err, &bind) && bind.Reason == netio.BindInvalidRange {
		return api.TypeErrorf("%v", err)
	}
	return api.Errorf("%v", err)
}

// parseIP reads an IP address given by the application. Upstream's normal form is the canonical one.
func parseIP(s string) (netip.Addr, error) {
	address, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, api.TypeErrorf("invalid IP '%s'", s)
	}
	return address.Unmap(), nil
}

// Sockets returns the transport's sockets: the one for RTP, and, without rtcpMux, the one for RTCP. HandleDatagrams wants
// the index.
func (p *Plain) Sockets() []Socket {
	if p.conduit.rtcpMux {
		return []Socket{p.conduit.rtp.socket}
	}
	return []Socket{p.conduit.rtp.socket, p.conduit.rtcp.socket}
}

func (c *plain) connected() bool { return c.rtp.peer.IsValid() }

func (c *plain) sendRTP(now unit.Time, _ *Consumer, b []byte, o media.Outgoing) {
	n := o.Len
	if c.srtp != nil {
		var err error
		if n, err = c.srtp.sender.ProtectRTP(b, o.Len, o.HeaderLen); err != nil {
			c.t.drops.SealFailed++
			return
		}
	}
	c.t.env.Batch.Commit(n)
	c.t.sent(now, n)
}

func (c *plain) flush() { c.send(&c.rtp) }

// send sends what is in the batch to e's peer.
func (c *plain) send(e *endpoint) {
	batch := c.t.env.Batch
	if batch.Len() == 0 {
		return
	}
	_, dropped := e.socket.Send(e.peer, batch)
	c.t.drops.SendFailed += uint64(dropped)
	batch.Reset()
}

func (c *plain) sendRTCP(now unit.Time, compound []byte) {
	e := &c.rtp
	if !c.rtcpMux {
		e = &c.rtcp
	}
	if !e.peer.IsValid() {
		return
	}
	b := c.t.env.Batch.Space(len(compound) + sealOverhead)
	if b == nil {
		panic("transport: RTCP is sent while media waits in the batch")
	}
	n := copy(b, compound)
	if c.srtp != nil {
		sealed, err := c.srtp.sender.ProtectRTCP(b[:0], compound)
		if err != nil {
			c.t.drops.SealFailed++
			return
		}
		n = copy(b, sealed)
	}
	c.t.env.Batch.Commit(n)
	c.t.sent(now, n)
	c.send(e)
}

func (c *plain) dump() api.ResponseBody {
	d := &api.PlainTransportDumpResponse{
		Base: c.t.baseDump(), RTCPMux: c.rtcpMux, Comedia: c.comedia, Tuple: c.rtp.tuple(),
	}
	if !c.rtcpMux {
		d.RTCPTuple = c.rtcp.tuple()
	}
	if c.srtp != nil {
		d.SRTPParameters = c.srtp.parameters()
	}
	return d
}

func (c *plain) stats(now unit.Time) api.ResponseBody {
	s := &api.PlainTransportGetStatsResponse{
		Base: c.t.baseStats(now), RTCPMux: c.rtcpMux, Comedia: c.comedia, Tuple: c.rtp.tuple(),
	}
	if !c.rtcpMux && c.rtcp.peer.IsValid() {
		s.RTCPTuple = c.rtcp.tuple()
	}
	return s
}

func (c *plain) close() {
	c.rtp.socket.Close()
	if !c.rtcpMux {
		c.rtcp.socket.Close()
	}
}

// plainSRTP protects a PlainTransport's packets. Each side chose its own key; the suite is the remote side's choice.
type plainSRTP struct {
	suite    api.SRTPCryptoSuite
	key      []byte // ours, master key and salt
	sender   *srtp.Sender
	receiver *srtp.Receiver // nil until connected
}

func newPlainSRTP(suite api.SRTPCryptoSuite) (*plainSRTP, error) {
	s, ok := suiteOf(suite)
	if !ok {
		return nil, api.TypeErrorf("unknown SRTP crypto suite %d", suite)
	}
	key := make([]byte, s.KeyLen()+s.SaltLen())
	rand.Read(key) // crypto/rand.Read never fails
	return &plainSRTP{suite: suite, key: key}, nil
}

func (s *plainSRTP) parameters() *api.SRTPParameters {
	return &api.SRTPParameters{CryptoSuite: s.suite, KeyBase64: base64.StdEncoding.EncodeToString(s.key)}
}

// connect returns a session with the remote side's key. The local key stays unless the remote side chose another suite.
func (s *plainSRTP) connect(remote *api.SRTPParameters) (*plainSRTP, error) {
	session := &plainSRTP{suite: s.suite, key: s.key}
	if remote.CryptoSuite != s.suite {
		var err error
		if session, err = newPlainSRTP(remote.CryptoSuite); err != nil {
			return nil, err
		}
	}
	remoteKey, err := base64.StdEncoding.DecodeString(remote.KeyBase64)
	if err != nil {
		return nil, api.TypeErrorf("srtpParameters.keyBase64 is not base64: %v", err)
	}
	if len(remoteKey) != len(session.key) {
		return nil, api.TypeErrorf("invalid decoded SRTP key length")
	}
	suite, _ := suiteOf(session.suite)
	if session.sender, err = srtp.NewSender(suite, session.key); err != nil {
		return nil, api.Errorf("error creating SRTP sending session: %v", err)
	}
	if session.receiver, err = srtp.NewReceiver(suite, remoteKey); err != nil {
		return nil, api.Errorf("error creating SRTP receiving session: %v", err)
	}
	return session, nil
}

func suiteOf(suite api.SRTPCryptoSuite) (srtp.Suite, bool) {
	switch suite {
	case api.SRTPCryptoSuiteAEADAES256GCM:
		return srtp.AEADAES256GCM, true
	case api.SRTPCryptoSuiteAEADAES128GCM:
		return srtp.AEADAES128GCM, true
	case api.SRTPCryptoSuiteAESCM128HMACSHA180:
		return srtp.AESCM128HMACSHA180, true
	case api.SRTPCryptoSuiteAESCM128HMACSHA132:
		return srtp.AESCM128HMACSHA132, true
	}
	return 0, false
}
