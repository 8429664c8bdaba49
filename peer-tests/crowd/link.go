package main

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"sync"

	"github.com/pion/rtcp"
)

// link is a person's socket, on which packets are lost. It sees which streams arrive, as only their payloads are encrypted.
type link struct {
	net.PacketConn
	loss float64

	mu     sync.Mutex
	chance *rand.Rand
	isCut  bool
	heard  map[uint32]*heard // by SSRC
}

// heard is a stream since the last complaint.
type heard struct {
	highest uint16
	lost    []uint16
}

// maxHeard bounds what is remembered; consumers come and go.
const maxHeard = 64

func newLink(h habits) (*link, error) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &link{PacketConn: conn, loss: h.Loss, chance: rand.New(rand.NewPCG(h.Seed, 0)), heard: map[uint32]*heard{}}, nil
}

// ReadFrom implements net.PacketConn.
func (l *link) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := l.PacketConn.ReadFrom(b)
		if err != nil || l.arrives(b[:n]) {
			return n, from, err
		}
	}
}

// WriteTo implements net.PacketConn.
func (l *link) WriteTo(b []byte, to net.Addr) (int, error) {
	if l.loses() {
		return len(b), nil
	}
	return l.PacketConn.WriteTo(b, to)
}

// cut loses everything from now on.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = true
}

func (l *link) loses() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.isCut || l.chance.Float64() < l.loss
}

// arrives says whether a packet is not lost, and remembers it if it is RTP.
func (l *link) arrives(b []byte) bool {
	lost := l.loses()
	if len(b) < 12 || b[0]>>6 != 2 || b[1] >= 192 && b[1] <= 223 { // RFC 5761 section 4
		return !lost
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	seq, ssrc := binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[8:])
	h := l.heard[ssrc]
	if h == nil {
		if len(l.heard) == maxHeard {
			clear(l.heard)
		}
		h = &heard{}
		l.heard[ssrc] = h
	}
	h.highest = seq
	if lost {
		h.lost = append(h.lost, seq)
	}
	return !lost
}

// complaints returns what a browser would say of what it hears: reports, NACKs of what was lost and, now and then, a wish for a key frame.
func (l *link) complaints() (packets []rtcp.Packet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for ssrc, h := range l.heard {
		report := rtcp.ReceptionReport{SSRC: ssrc, FractionLost: uint8(255 * l.loss), LastSequenceNumber: uint32(h.highest)}
		packets = append(packets, &rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{report}})
		if len(h.lost) > 0 {
			packets = append(packets, &rtcp.TransportLayerNack{SenderSSRC: 1, MediaSSRC: ssrc, Nacks: rtcp.NackPairsFromSequenceNumbers(h.lost)})
		}
		switch l.chance.IntN(8) {
		case 0:
			packets = append(packets, &rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: ssrc})
		case 1:
			packets = append(packets, &rtcp.FullIntraRequest{SenderSSRC: 1, MediaSSRC: ssrc, FIR: []rtcp.FIREntry{{SSRC: ssrc, SequenceNumber: uint8(h.highest)}}})
		}
		h.lost = nil
	}
	return packets
}
