package sctp

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"gazpacho/engine/unit"
)

// cookie is all that an INIT and our answer to it agreed on. It travels to the peer and back, signed, so that an INIT costs
// no memory (RFC 9260 section 5.1.3).
type cookie struct {
	local, peer     uint32 // tags
	localTSN        tsn
	peerTSN         tsn
	window          uint32
	out, in         uint16 // streams of the peer
	can             capabilities
	tieLocal, tieTo uint32 // the tags of the association that there was at the time, zeros if there was none
	created         uint32 // seconds, which wrap
}

const (
	cookieBody = 4*5 + 2*2 + 1 + 4*2 + 4
	cookieMAC  = 16
	cookieLen  = cookieBody + cookieMAC

	// cookieLife is RFC 9260's Valid.Cookie.Life (section 16).
	cookieLife = 60 * time.Second
)

// seconds is what a cookie has of the time, so that an INIT ACK is no more than three times as long as its INIT.
func seconds(now unit.Time) uint32 { return uint32(now / unit.Time(time.Second)) }

// stale reports whether the cookie is too old.
func (c *cookie) stale(now unit.Time) bool {
	return seconds(now)-c.created > uint32(cookieLife/time.Second)
}

func (c *cookie) append(b []byte, key []byte) []byte {
	start := len(b)
	b = binary.BigEndian.AppendUint32(b, c.local)
	b = binary.BigEndian.AppendUint32(b, c.peer)
	b = binary.BigEndian.AppendUint32(b, uint32(c.localTSN))
	b = binary.BigEndian.AppendUint32(b, uint32(c.peerTSN))
	b = binary.BigEndian.AppendUint32(b, c.window)
	b = binary.BigEndian.AppendUint16(b, c.out)
	b = binary.BigEndian.AppendUint16(b, c.in)
	b = append(b, byte(c.can))
	b = binary.BigEndian.AppendUint32(b, c.tieLocal)
	b = binary.BigEndian.AppendUint32(b, c.tieTo)
	b = binary.BigEndian.AppendUint32(b, c.created)
	return append(b, sign(key, b[start:])...)
}

// parseCookie reads a cookie; ok is false unless it was made with the key.
func parseCookie(b, key []byte) (c cookie, ok bool) {
	if len(b) != cookieLen || !hmac.Equal(b[cookieBody:], sign(key, b[:cookieBody])) {
		return cookie{}, false
	}
	return cookie{
		local: binary.BigEndian.Uint32(b), peer: binary.BigEndian.Uint32(b[4:]),
		localTSN: tsn(binary.BigEndian.Uint32(b[8:])), peerTSN: tsn(binary.BigEndian.Uint32(b[12:])),
		window: binary.BigEndian.Uint32(b[16:]),
		out:    binary.BigEndian.Uint16(b[20:]), in: binary.BigEndian.Uint16(b[22:]),
		can:      capabilities(b[24]),
		tieLocal: binary.BigEndian.Uint32(b[25:]), tieTo: binary.BigEndian.Uint32(b[29:]),
		created: binary.BigEndian.Uint32(b[33:]),
	}, true
}

func sign(key, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	return mac.Sum(nil)[:cookieMAC]
}
