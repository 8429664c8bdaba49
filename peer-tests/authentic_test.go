package peers_test

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rawpeer"
)

// TestAuthenticGarbage: a peer with the keys sends RTCP with wrong lengths and counts, thousands of SSRCs, and payload types that
// were not negotiated. All of it is dropped, and the peer's good packets are still received.
func TestAuthenticGarbage(t *testing.T) {
	r := start(t)
	c := newCall(t, r, listenOn(r, true, api.ProtocolUDP))
	c.speak(t)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 3000 {
		if i%25 == 0 { // a socket's buffer is limited
			c.speak(t)
		}
		body := make([]byte, 8+4*rng.IntN(64))
		for j := range body {
			body[j] = byte(rng.Uint32())
		}
		body[0], body[1] = 0x80|body[0]&0x1f, byte(200+rng.IntN(8))
		if rng.IntN(2) == 0 {
			binary.BigEndian.PutUint16(body[2:], uint16(len(body)/4-1))
		}
		binary.BigEndian.PutUint32(body[4:], aliceSSRC)
		c.alice.Path().Send(c.alice.ProtectRTCP(body))
		c.alice.Send(1_000_000+uint32(i), 1, "unknown")
	}
	c.heard(t)
}

// TestCorruptedSRTCP: RTCP with a flipped bit is dropped.
func TestCorruptedSRTCP(t *testing.T) {
	r := start(t)
	c := newCall(t, r, listenOn(r, false, api.ProtocolUDP))
	c.speak(t)
	good := c.alice.ProtectRTCP([]byte{0x80, 201, 0, 1, 0, 0, 0x04, 0x57})
	for i := range good {
		for bit := range 8 {
			bad := slices.Clone(good)
			bad[i] ^= 1 << bit
			c.alice.Path().Send(bad)
		}
		if i%8 == 0 {
			c.speak(t)
		}
	}
	c.heard(t)
}

// sctpPacket returns a packet with one chunk and a valid checksum (RFC 9260 section 3 and appendix A).
func sctpPacket(tag uint32, typ byte, value []byte) []byte {
	b := []byte{0x13, 0x88, 0x13, 0x88} // ports 5000
	b = binary.BigEndian.AppendUint32(b, tag)
	b = append(b, 0, 0, 0, 0, typ, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(4+len(value)))
	b = append(b, value...)
	binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// TestSCTPGarbage: a connected peer sends invalid SCTP (bad checksums, forged state cookies, data without an association,
// endless INITs). It starts no association and does not disturb media.
func TestSCTPGarbage(t *testing.T) {
	r := start(t)
	c := newCall(t, r, listenOn(r, false, api.ProtocolUDP))
	c.from.ProduceData(1)
	c.speak(t)
	rng := rand.New(rand.NewPCG(5, 6))
	const initChunk, cookieEcho, dataChunk, abort = 1, 10, 0, 6
	for i := range 500 {
		if i%25 == 0 {
			c.speak(t)
		}
		value := make([]byte, 16+4*rng.IntN(32))
		for j := range value {
			value[j] = byte(rng.Uint32())
		}
		badChecksum := sctpPacket(0, initChunk, value)
		badChecksum[9] ^= 1
		for _, packet := range [][]byte{
			value, badChecksum, sctpPacket(0, initChunk, value), sctpPacket(rng.Uint32(), cookieEcho, value),
			sctpPacket(rng.Uint32(), dataChunk, value), sctpPacket(rng.Uint32(), abort, nil),
		} {
			c.alice.SendData(packet)
		}
	}
	c.heard(t)
	require.NotEqual(t, api.SCTPStateConnected, *c.from.Dump().Base.SCTPState)
}

// TestTCPPeerThatDoesNotRead: once the connection of such a peer is full, whole frames for it are dropped. Other peers lose
// nothing, and when it reads again, it receives complete frames.
func TestTCPPeerThatDoesNotRead(t *testing.T) {
	r := start(t)
	infos := app.Listen(api.ProtocolUDP, api.ProtocolTCP)
	infos[1].SendBufferSize = 16 << 10
	c := prepareCall(t, r, app.Options{Infos: app.Listen(api.ProtocolUDP)})
	c.alice.Connect(api.ProtocolUDP)
	slow := r.NewTransport(app.Options{Infos: infos})
	carol := rawpeer.New(t, slow)
	carol.Connect(api.ProtocolTCP)
	slow.Consume(c.producer, bobSSRC)
	c.speak(t)
	carol.Path().Deafen()

	const count = 3000
	padding := strings.Repeat(".", 1000)
	for n := range uint16(count) {
		c.alice.Send(aliceSSRC, n+10, fmt.Sprintf("%d%s", n, padding))
		if n%25 == 0 {
			c.hear(t, fmt.Sprintf("%d%s", n, padding))
		}
	}
	c.alice.Send(aliceSSRC, count+10, "last")
	c.hear(t, "last")
	require.Len(t, c.bob.RTP.All(), count+2)

	carol.Path().Listen()
	word := uint16(count + 10)
	carol.RTP.Insist(t, "a word after the silence", func() {
		word++
		c.alice.Send(aliceSSRC, word, "hello again")
	}, func(p rawpeer.Packet) bool { return string(p.Payload) == "hello again" })
	require.Less(t, len(carol.RTP.All()), count)
	slow.RequireConnected()
}
