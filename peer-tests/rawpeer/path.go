// Package rawpeer is a WebRTC peer built from pion's packages, under full control of the test: it sends any bytes on any
// socket, nominates any tuple, repeats and corrupts packets. It does nothing by itself.
package rawpeer

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/inbox"
)

// Path is a UDP socket or TCP connection to a port of the worker.
type Path struct {
	t    testing.TB
	conn net.Conn
	tcp  bool
	peer atomic.Pointer[Peer] // gets what is not STUN; may be nil
	deaf atomic.Bool

	// STUN holds all STUN messages received. Ended gets one item when the path is closed.
	STUN  inbox.Inbox[*stun.Message]
	Ended inbox.Inbox[error]
}

// maxPacket is the largest packet on either kind of path in bytes.
const maxPacket = 1<<16 - 1

// Open returns a path to a port of the worker. It is closed at the end of the test.
func Open(t testing.TB, protocol api.Protocol, port uint16) *Path {
	t.Helper()
	network := "udp4"
	if protocol == api.ProtocolTCP {
		network = "tcp4"
	}
	conn, err := net.Dial(network, fmt.Sprintf("127.0.0.1:%d", port))
	require.NoError(t, err)
	p := &Path{t: t, conn: conn, tcp: protocol == api.ProtocolTCP}
	t.Cleanup(p.Close)
	go p.read()
	return p
}

// Port returns the local port.
func (p *Path) Port() uint16 {
	if p.tcp {
		return uint16(p.conn.LocalAddr().(*net.TCPAddr).Port)
	}
	return uint16(p.conn.LocalAddr().(*net.UDPAddr).Port)
}

// Close closes the socket.
func (p *Path) Close() { _ = p.conn.Close() }

// Send sends a packet, over TCP as a frame (RFC 4571). Errors are ignored: the worker may have closed the connection.
func (p *Path) Send(packet []byte) {
	if p.tcp {
		packet = append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
	}
	p.SendRaw(packet)
}

// SendRaw sends bytes without a frame.
func (p *Path) SendRaw(b []byte) { _, _ = p.conn.Write(b) }

// Deafen makes the path stop reading after the next packet, until Listen; later packets stay in the socket.
func (p *Path) Deafen() {
	require.NoError(p.t, p.conn.(*net.TCPConn).SetReadBuffer(128<<10))
	p.deaf.Store(true)
}

// StopReading stops reading for good: the socket's buffer fills up, and the kernel drops the rest.
func (p *Path) StopReading() {
	p.deaf.Store(true)
	require.NoError(p.t, p.conn.SetReadDeadline(time.Now()))
}

// Listen ends Deafen's effect, once a packet has arrived.
func (p *Path) Listen() {
	require.NoError(p.t, p.conn.(*net.TCPConn).SetReadBuffer(1<<20))
	p.deaf.Store(false)
	go p.read()
}

func (p *Path) read() {
	for !p.deaf.Load() {
		packet, err := p.next()
		if err != nil {
			p.Ended.Add(err)
			return
		}
		switch {
		case len(packet) == 0:
		case packet[0] < 4: // RFC 7983 section 7
			m := &stun.Message{Raw: packet}
			if m.Decode() == nil {
				p.STUN.Add(m)
			}
		default:
			if peer := p.peer.Load(); peer != nil {
				peer.receive(p, packet)
			}
		}
	}
}

func (p *Path) next() ([]byte, error) {
	if !p.tcp {
		b := make([]byte, maxPacket)
		for {
			n, err := p.conn.Read(b)
			if err == nil {
				return b[:n], nil
			}
			if !isRefused(err) {
				return nil, err
			}
		}
	}
	var prefix [2]byte
	if _, err := io.ReadFull(p.conn, prefix[:]); err != nil {
		return nil, err
	}
	b := make([]byte, binary.BigEndian.Uint16(prefix[:]))
	_, err := io.ReadFull(p.conn, b)
	return b, err
}

// Check is an ICE connectivity check.
type Check struct {
	Fragment, Password string // of the worker's transport
	Nominate           bool
}

// CheckOf returns a check with a transport's credentials.
func CheckOf(tr *app.Transport, nominate bool) Check {
	return Check{tr.ICE.UsernameFragment, tr.ICE.Password, nominate}
}

// Build returns the check's message (RFC 8445 section 7.2.2).
func (c Check) Build(t testing.TB) *stun.Message {
	t.Helper()
	setters := []stun.Setter{
		stun.BindingRequest, stun.TransactionID, stun.NewUsername(c.Fragment + ":peer"),
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0x6e, 0, 1, 0xff}},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: make([]byte, 8)},
	}
	if c.Nominate {
		setters = append(setters, stun.RawAttribute{Type: stun.AttrUseCandidate})
	}
	m, err := stun.Build(append(setters, stun.NewShortTermIntegrity(c.Password), stun.Fingerprint)...)
	require.NoError(t, err)
	return m
}

// Check sends a check, repeats it until there is an answer, and returns that.
func (p *Path) Check(c Check) *stun.Message {
	p.t.Helper()
	m := c.Build(p.t)
	return p.STUN.Insist(p.t, "the answer to a check", func() { p.Send(m.Raw) }, func(answer *stun.Message) bool {
		return answer.TransactionID == m.TransactionID
	})
}

// Nominate sends a check that nominates the path, and requires success.
func (p *Path) Nominate(tr *app.Transport) {
	p.t.Helper()
	require.Equal(p.t, stun.BindingSuccess, p.Check(CheckOf(tr, true)).Type)
}
