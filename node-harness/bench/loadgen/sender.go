//go:build linux

package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net"
	"time"

	"github.com/pion/srtp/v3"
	"golang.org/x/net/ipv4"
)

const (
	rtpHeader = 12
	// keyFrameEvery is how often a burst is a key frame, in bursts.
	keyFrameEvery = 100
	clockRate     = 90_000
	// authTag is the space for SRTP's tag after a packet.
	authTag = 16
)

// sender sends a VP8 stream in which each burst of packets is one frame.
type sender struct {
	conn     *ipv4.PacketConn
	sequence uint16
	frames   int
	messages []ipv4.Message
	plain    []byte
	context  *srtp.Context
	key      string
}

func newSender() (*sender, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	return &sender{conn: ipv4.NewPacketConn(conn)}, nil
}

// run sends at the requested rate and returns how many packets it sent. Late bursts are sent at once, so that the number of
// packets is always rate × seconds.
func (s *sender) run(r run) (int, error) {
	to, err := net.ResolveUDPAddr("udp4", r.To)
	if err != nil {
		return 0, err
	}
	if r.Rate < 1 || r.Burst < 1 || r.PacketSize <= rtpHeader+authTag {
		return 0, fmt.Errorf("invalid load: rate %d, burst %d, packet size %d", r.Rate, r.Burst, r.PacketSize)
	}
	if err := s.setKey(r.Key); err != nil {
		return 0, err
	}
	bursts := int(float64(r.Rate)*r.Seconds) / r.Burst
	interval := time.Second * time.Duration(r.Burst) / time.Duration(r.Rate)
	s.messages = make([]ipv4.Message, r.Burst)
	for i := range s.messages {
		s.messages[i] = ipv4.Message{Buffers: [][]byte{nil}, Addr: to}
	}
	start := time.Now()
	for i := range bursts {
		time.Sleep(time.Until(start.Add(time.Duration(i) * interval)))
		if err := s.sendFrame(r, interval); err != nil {
			return 0, err
		}
	}
	return bursts * r.Burst, nil
}

// setKey creates a new SRTP context if the key has changed: under one key, sequence numbers must not restart.
func (s *sender) setKey(key string) error {
	if key == s.key {
		return nil
	}
	s.key, s.context = key, nil
	if key == "" {
		return nil
	}
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return err
	}
	if len(raw) != 28 {
		return fmt.Errorf("AEAD_AES_128_GCM needs 16 bytes of key and 12 of salt, got %d in all", len(raw))
	}
	s.context, err = srtp.CreateContext(raw[:16], raw[16:], srtp.ProtectionProfileAeadAes128Gcm)
	return err
}

func (s *sender) sendFrame(r run, interval time.Duration) error {
	timestamp := uint32(int64(s.frames) * int64(interval) * clockRate / int64(time.Second))
	for i := range s.messages {
		packet, err := s.packet(r, timestamp, i == 0, i == len(s.messages)-1)
		if err != nil {
			return err
		}
		s.messages[i].Buffers[0] = append(s.messages[i].Buffers[0][:0], packet...)
	}
	s.frames++
	for rest := s.messages; len(rest) > 0; {
		n, err := s.conn.WriteBatch(rest, 0)
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// packet builds one RTP packet with a VP8 payload descriptor (RFC 7741 §4.2) and the first byte of the VP8 header.
func (s *sender) packet(r run, timestamp uint32, first, last bool) ([]byte, error) {
	if cap(s.plain) < r.PacketSize {
		s.plain = make([]byte, r.PacketSize)
	}
	b := s.plain[:r.PacketSize]
	b[0], b[1] = 0x80, r.PayloadType
	if last {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], s.sequence)
	binary.BigEndian.PutUint32(b[4:], timestamp)
	binary.BigEndian.PutUint32(b[8:], r.SSRC)
	s.sequence++
	b[rtpHeader], b[rtpHeader+1] = 0, 1 // Within a frame; an inter frame.
	if first {
		b[rtpHeader] = 0x10 // Start of partition 0.
		if s.frames%keyFrameEvery == 0 {
			b[rtpHeader+1] = 0 // A key frame.
		}
	}
	if s.context == nil {
		return b, nil
	}
	return s.context.EncryptRTP(nil, b, nil)
}
