package transport_test

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
	"gazpacho/engine/wire/rtp"
	"gazpacho/engine/wire/stun"
	"gazpacho/internal/fuzzseed"
)

// The fuzzers of this file speak with keys: what they send is authentic. An input is a tape, of which each step takes what it needs.
// The ledgers of the transports are what they are judged by.

// maxSteps bounds one input.
const maxSteps = 100

// tape is the input of a fuzzer. At its end it gives zeros.
type tape struct {
	b     []byte
	small bool // nothing long, whose bytes would pay for what short packets cause
}

func (t *tape) bytes(n int) []byte {
	b := make([]byte, n)
	t.b = t.b[copy(b, t.b):]
	return b
}

func (t *tape) byte() byte     { return t.bytes(1)[0] }
func (t *tape) uint16() uint16 { return binary.BigEndian.Uint16(t.bytes(2)) }
func (t *tape) uint32() uint32 { return binary.BigEndian.Uint32(t.bytes(4)) }

// size is a length in bytes up to the given one: small ones, those near an MTU, and those near the limit.
func (t *tape) size(most int) int {
	n := t.byte()
	if t.small {
		return int(n >> 3)
	}
	sizes := []int{0, int(n >> 3), int(n), 1100 + int(n), 1600 - int(n>>3), 9000, most / 2, most - int(n>>3)}
	return min(sizes[n&7], most)
}

// long returns as many bytes as size says, the first of them from the tape.
func (t *tape) long(most int) []byte {
	n := t.size(most)
	return append(t.bytes(min(n, 12)), make([]byte, max(0, n-12))...)
}

// attack runs step until the tape ends, on the target that its first byte names. If that is 128 or more, nothing long is sent.
func attack(t *testing.T, b []byte, step func(*target, *tape)) {
	tape := &tape{b: b}
	first := tape.byte()
	tape.small = first >= 128
	k := targets[int(first)%len(targets)].new(t)
	for n := 0; len(tape.b) > 0 && n < maxSteps; n++ {
		step(k, tape)
		k.t.Settle(k.now)
		k.pass(0)
	}
	k.finish()
}

// seed adds an input for each target.
func seed(f *fuzzseed.F, script ...byte) {
	for i := range targets {
		f.Add(append([]byte{byte(i)}, script...))
		f.Add(append([]byte{byte(132 + i)}, script...)) // a multiple of their number, and nothing long
	}
}

// FuzzAuthenticRTP sends media of any header and length up to a datagram's, with gaps and jumps in every number.
func FuzzAuthenticRTP(tf *testing.F) {
	f := fuzzseed.New(tf, 60)
	seed(f, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0x20, 9, 0, 1, 9, 9)
	seed(f, 4, 0, 200, 0, 50, 3, 4, 1, 44, 0, 50, 4, 4, 3, 1, 0, 50, 5, 0x84, 100)
	f.Fuzz(func(t *testing.T, b []byte) {
		var seq, number unit.SeqNo
		var timestamp unit.Timestamp
		attack(t, b, func(k *target, in *tape) {
			how := in.byte()
			p := enginetest.Packet{SSRC: []unit.SSRC{10, 11, 10, unit.SSRC(in.byte())}[how&3], PT: []byte{100, 101, in.byte(), 0}[how&3]}
			switch how >> 2 & 3 {
			case 0:
				seq++
			case 1:
				seq += unit.SeqNo(in.uint16())
			case 2:
				seq -= unit.SeqNo(in.byte())
			case 3:
				seq += unit.SeqNo(in.byte())
			}
			timestamp += unit.Timestamp(in.uint16())
			p.Seq, p.Timestamp, p.Marker = seq, timestamp, how&16 != 0
			if how&32 != 0 {
				number += unit.SeqNo(in.uint16())
				value := []byte{byte(number >> 8), byte(number)}
				p.Extensions = []rtp.Extension{{ID: 5, Value: value}, {ID: 4, Value: in.bytes(3)}}
			}
			p.Payload = in.long(maxDatagramLen - 128)
			if in.byte()&1 == 0 {
				p.Payload = append(enginetest.VP8KeyFrame[:len(enginetest.VP8KeyFrame):len(enginetest.VP8KeyFrame)], p.Payload...)
			}
			raw := p.Bytes()
			if how&64 != 0 { // flags, and lengths behind them
				raw[0] = in.byte()&^0xc0 | 0x80
			}
			k.rtp(raw)
			if how&128 != 0 {
				k.pass(time.Duration(in.byte()) * 5 * time.Millisecond)
			}
		})
	})
}

// FuzzAuthenticRTCP sends compounds of every kind of RTCP about streams that exist, repeated up to a datagram's length.
func FuzzAuthenticRTCP(tf *testing.F) {
	f := fuzzseed.New(tf, 60)
	seed(f, 3, 50, 0x80, 0, 0, 0, 0, 7, 3, 50, 0x80, 0, 0, 0, 0, 7, 2, 5, 200, 3, 3, 0x81, 0, 0, 9)
	seed(f, 0, 1, 0, 0, 1, 2, 9, 9, 9, 9, 1, 2, 3, 4, 40, 1, 1, 0, 5, 60, 4, 1, 6, 4)
	seed(f, 7, 20, 0, 0, 1, 0, 9, 0, 20, 9, 1, 1, 1, 7, 20, 0, 0, 2, 0, 9, 0x20, 9, 9, 1, 1, 1, 8, 9, 1, 9, 1, 9)
	f.Fuzz(func(t *testing.T, b []byte) {
		attack(t, b, func(k *target, in *tape) {
			kind, wait := in.byte(), in.byte()
			k.media(int(wait & 3))
			k.pass(time.Duration(wait>>2) * 5 * time.Millisecond)
			ssrc := []uint32{40, 20, 10, 11, 21, 1234, uint32(in.byte())}[in.byte()%7]
			packet := rtcpOf(k, kind&15%12, ssrc, in)
			compound := packet
			for n := 1 << (kind >> 4); n > 1 && len(compound)+len(packet) < maxDatagramLen-64; n-- {
				compound = append(compound, packet...)
			}
			k.rtcp(compound)
		})
	})
}

// rtcpOf returns an RTCP packet of some kind about a stream, its other fields from the tape.
func rtcpOf(k *target, kind byte, ssrc uint32, in *tape) []byte {
	last := k.ledger.Last[ssrc]
	packet := func(count, typ byte, words ...uint32) []byte {
		b := []byte{0x80 | count, typ, 0, byte(len(words))}
		for _, w := range words {
			b = binary.BigEndian.AppendUint32(b, w)
		}
		return b
	}
	near := unit.CompactNTP(k.now.NTP())
	switch kind {
	case 0: // SR
		return packet(0, 200, ssrc, in.uint32(), in.uint32(), in.uint32(), 1, 1)
	case 1: // RR of a stream of ours, from as near as the tape says
		return packet(1, 201, 1, ssrc, in.uint32(), uint32(last)+uint32(in.byte()), 1, near-uint32(in.uint16()), uint32(in.byte()))
	case 2, 3: // NACK for the last packets
		b := packet(1, 205, 1, ssrc)
		for n := 1 + int(in.byte()); n > 0; n-- {
			b = binary.BigEndian.AppendUint16(b, last-uint16(17*n)-uint16(in.byte()&15))
			b = binary.BigEndian.AppendUint16(b, 0xffff)
		}
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)/4-1))
		return b
	case 4: // PLI
		return packet(1, 206, 1, ssrc)
	case 5: // FIR
		return packet(4, 206, 1, 0, ssrc, uint32(in.byte())<<24)
	case 6: // REMB
		return packet(15, 206, 1, 0, 0x52454d42, 1<<24|in.uint32()&0xffffff, ssrc)
	case 7, 8: // transport-wide feedback
		b := packet(15, 205, 1, ssrc, uint32(in.uint16())<<16|uint32(in.uint16()), in.uint32())
		b = append(b, in.long(1<<10)...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)/4-1))
		return b
	case 9: // XR: a reference time, and an answer to one
		return packet(0, 207, 1, 4<<24|2, in.uint32(), in.uint32(), 5<<24|3, ssrc, near-uint32(in.byte()), uint32(in.byte()))
	case 10: // BYE
		return packet(1, 203, ssrc)
	default: // anything
		b := packet(in.byte()&31, in.byte(), ssrc)
		b = append(b, in.bytes(int(in.byte()&0xfc))...)
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)/4-1))
		return b
	}
}

// FuzzAuthenticSCTP sends chunks of the peer's association, by themselves or in one packet up to the largest, and now and then
// lets the peer's own end answer.
func FuzzAuthenticSCTP(tf *testing.F) {
	f := fuzzseed.New(tf, 60)
	seed(f, 0, 3, 1, 0, 0, 4, 3, 9, 1, 0, 0, 5, 0x80, 3, 0, 2, 3, 7, 0x40, 1, 0x41, 2)
	seed(f, 5, 0, 0, 1, 0, 1, 2, 6, 0, 3, 130, 0, 2, 3, 0, 13, 0, 20, 1, 192, 0, 1, 4)
	seed(f, 4, 0, 1, 9, 9, 0x84, 0, 4, 1, 1, 1, 0, 3, 0, 0, 64, 3, 1, 2, 2, 2)
	f.Fuzz(func(t *testing.T, b []byte) {
		attack(t, b, func(k *target, in *tape) {
			how := in.byte()
			var chunks []byte
			for n := 1 + int(how&7); n > 0; n-- {
				chunks = append(chunks, chunkOf(k, in)...)
			}
			k.sendChunks(chunks[:min(len(chunks), maxDatagramLen-12)])
			k.t.Settle(k.now)
			if how&64 != 0 {
				k.converse()
			}
			if how&128 != 0 {
				k.pass(time.Duration(in.byte()) * 20 * time.Millisecond)
			}
			k.received = nil
		})
	})
}

// chunkOf returns a chunk of some type, padded.
func chunkOf(k *target, in *tape) []byte {
	typ, flags, near := in.byte(), in.byte(), in.byte()
	if typ < 128 && typ > 16 && typ != 64 {
		typ = []byte{0, 3, 64, 130, 192, 194, 4, 1}[typ&7]
	}
	if typ == 0 && near&1 == 0 {
		typ = 64 // what both ends agreed on; DATA ends the association
	}
	chunk := []byte{typ, flags, 0, 0}
	switch typ {
	case 0, 64:
		chunk = binary.BigEndian.AppendUint32(chunk, k.tsn+uint32(near))
		k.tsn += uint32(near & 1)
		chunk = append(chunk, 0, 1) // the stream of the data producer
	case 3: // SACK, of what the target sent
		chunk = binary.BigEndian.AppendUint32(chunk, k.ledger.LastTSN-uint32(near&7)+uint32(near>>6))
	case 192, 194:
		chunk = binary.BigEndian.AppendUint32(chunk, k.tsn-uint32(near&1)+uint32(near>>1))
	}
	chunk = append(chunk, in.long(16<<10)...)
	binary.BigEndian.PutUint16(chunk[2:], uint16(len(chunk)))
	for len(chunk)%4 != 0 {
		chunk = append(chunk, 0)
	}
	return chunk
}

// FuzzPaths lets a peer with the password and the keys use many paths, of its own and of others, over UDP and TCP: checks good and
// bad, nominations, media and feedback, DTLS, connections that close, restarts. The ledger has an account for each address.
func FuzzPaths(tf *testing.F) {
	f := fuzzseed.New(tf, 60)
	f.Add([]byte{0, 1, 0, 1, 1, 0, 2, 2, 5, 3, 3, 40, 4, 4, 200, 5, 0, 0, 6, 5, 100, 0, 5, 1})
	f.Add([]byte{0x80, 0, 0, 0x81, 1, 7, 0x82, 2, 1, 0x87, 3, 9, 0x80, 4, 0, 0x88, 0, 9, 0x80, 4, 5, 7, 0, 250})
	f.Add([]byte{1, 8, 0, 1, 9, 0, 1, 10, 0, 1, 11, 0, 1, 12, 0, 1, 13, 0, 1, 14, 0, 1, 15, 0, 1, 16, 0, 1, 17, 0, 4, 8, 90, 9, 9, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		tape := &tape{b: b}
		protocol := api.ProtocolUDP
		if tape.byte()&1 != 0 {
			protocol = api.ProtocolTCP
		}
		peer := establishedBy(t, protocol, func(o *api.WebRtcTransportOptions) { withData(o.Base, true) })
		k := peer.target()
		links := []*transport.Link{peer.link}
		for n := 0; len(tape.b) > 0 && n < maxSteps; n++ {
			how, path, extra := tape.byte(), tape.byte(), tape.byte()
			peer.addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, path & 15}), 5000)
			links = peer.takePath(links, how, path)
			peer.step(k, how, extra, tape)
			k.pass(time.Duration(extra) * 20 * time.Millisecond)
		}
		k.finish()
	})
}

// takePath has the browser send by UDP or by one of its TCP connections, of which it may open another one.
func (b *browser) takePath(links []*transport.Link, how, path byte) []*transport.Link {
	if how&0x80 != 0 && len(links) < 12 {
		links = append(links, b.newLink(uint32(len(links)+1), api.ProtocolTCP))
	}
	b.link = links[int(path>>4)%len(links)]
	if b.link.Protocol == api.ProtocolTCP {
		b.addr = b.link.Remote
	}
	return links
}

// step sends one thing from where the browser is now.
func (b *browser) step(k *target, how, extra byte, in *tape) {
	params := b.dump().ICEParameters
	switch how & 15 {
	case 0, 1, 2:
		b.deliver(enginetest.ConnectivityCheck(params.UsernameFragment, params.Password, how&1 != 0))
	case 3: // a wrong password, or a name that is not ours
		b.deliver(enginetest.ConnectivityCheck(params.UsernameFragment, "not the password, not at all", true))
		b.deliver(enginetest.ConnectivityCheck("not the fragment", params.Password, true))
	case 4: // any attributes
		w := stun.Build(nil, stun.Request, stun.Binding, stun.TransactionID{extra})
		w.String(stun.Username, params.UsernameFragment+":browser")
		w.Bytes(stun.Attribute(in.uint16()), in.bytes(int(extra)))
		w.Integrity(stun.NewKey(params.Password))
		w.Fingerprint()
		b.deliver(w.Message())
	case 5:
		k.rtp(enginetest.KeyFrame(10, unit.SeqNo(extra)))
	case 6:
		k.rtcp(rtcpOf(k, extra&15%12, 40, in))
	case 7:
		k.sendChunks([]byte{4, 0, 0, 8, 0, 1, 0, 4}) // HEARTBEAT
	case 8: // records that do not verify
		b.deliver(append([]byte{20 + extra%5, 0xfe, 0xfd, 0, extra & 1, 0, 0, 0, 0, 0, 9, 0, byte(len(in.b))}, in.bytes(min(len(in.b), 255))...))
	case 9:
		if b.link.Protocol == api.ProtocolTCP {
			b.w.HandleLinkClosed(b.now, b.link)
		}
	case 10:
		b.w.RestartICE(b.now)
	case 11:
		b.deliver(in.bytes(int(extra)))
	default:
		k.media(int(extra & 7))
	}
}
