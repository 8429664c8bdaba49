package stun

import (
	"encoding/binary"
	"net/netip"
)

// Attribute is the type of an attribute. Only the named ones are known to this package.
type Attribute uint16

// From the specification: RFC 8489 section 18.3, RFC 8445 section 20.2, draft-thatcher-tsvwg-renomination.
const (
	Username         Attribute = 0x0006
	MessageIntegrity Attribute = 0x0008
	ErrorCode        Attribute = 0x0009
	XORMappedAddress Attribute = 0x0020
	Priority         Attribute = 0x0024
	UseCandidate     Attribute = 0x0025
	Nomination       Attribute = 0x0030
	Software         Attribute = 0x8022
	Fingerprint      Attribute = 0x8028
	ICEControlled    Attribute = 0x8029
	ICEControlling   Attribute = 0x802a

	// NominationOld is the number that libwebrtc gives NOMINATION; no registry has it.
	NominationOld Attribute = 0xc001
)

// From the specification: RFC 8489 section 14.
const (
	attributeHeaderLen = 4
	maxUsernameLen     = 513 // as in mediasoup: RFC 5389's "less than 513" with one to spare
	maxSoftwareLen     = 763
	errorCodeLen       = 4 // without the reason phrase

	familyIPv4     = 1
	familyIPv6     = 2
	xorAddress4Len = 8
	xorAddress6Len = 20
)

// numAttributes is the number of attributes that index knows.
const numAttributes = 12

// index numbers the known attributes; -1 for others.
func (a Attribute) index() int {
	switch a {
	case Username:
		return 0
	case MessageIntegrity:
		return 1
	case ErrorCode:
		return 2
	case XORMappedAddress:
		return 3
	case Priority:
		return 4
	case UseCandidate:
		return 5
	case Nomination:
		return 6
	case Software:
		return 7
	case Fingerprint:
		return 8
	case ICEControlled:
		return 9
	case ICEControlling:
		return 10
	case NominationOld:
		return 11
	}
	return -1
}

// validLen reports whether the value of a known attribute may have n bytes.
func (a Attribute) validLen(n int) bool {
	switch a {
	case Username:
		return n <= maxUsernameLen
	case Software:
		return n <= maxSoftwareLen
	case ErrorCode:
		return n >= errorCodeLen
	case XORMappedAddress:
		return n == xorAddress4Len || n == xorAddress6Len
	case MessageIntegrity:
		return n == integrityLen
	case UseCandidate:
		return n == 0
	case ICEControlled, ICEControlling:
		return n == 8
	}
	return n == 4
}

// padded returns n rounded up to a multiple of four, RFC 8489 section 14.
func padded(n int) int { return (n + 3) &^ 3 }

// xorMask is what an address is combined with, RFC 8489 section 14.2: the magic cookie, then the transaction.
func xorMask(id TransactionID) (mask [16]byte) {
	binary.BigEndian.PutUint32(mask[:], magicCookie)
	copy(mask[4:], id[:])
	return mask
}

func parseXORAddress(v []byte, id TransactionID) (netip.AddrPort, bool) {
	if len(v) < xorAddress4Len {
		return netip.AddrPort{}, false
	}
	port := binary.BigEndian.Uint16(v[2:]) ^ magicCookie>>16
	var ip [16]byte
	mask := xorMask(id)
	for i, c := range v[4:] {
		ip[i] = c ^ mask[i]
	}
	switch {
	case v[1] == familyIPv4 && len(v) == xorAddress4Len:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[:4])), port), true
	case v[1] == familyIPv6 && len(v) == xorAddress6Len:
		return netip.AddrPortFrom(netip.AddrFrom16(ip), port), true
	}
	return netip.AddrPort{}, false
}

// appendXORAddress writes the value of XOR-MAPPED-ADDRESS. An IPv4 address in IPv6 form is what a dual-stack socket makes of an
// IPv4 peer, which wants to see its own form.
func appendXORAddress(b []byte, addr netip.AddrPort, id TransactionID) []byte {
	ip := addr.Addr().Unmap()
	family := byte(familyIPv6)
	if ip.Is4() {
		family = familyIPv4
	}
	b = append(b, 0, family)
	b = binary.BigEndian.AppendUint16(b, addr.Port()^magicCookie>>16)
	start := len(b)
	if ip.Is4() {
		bytes := ip.As4()
		b = append(b, bytes[:]...)
	} else {
		bytes := ip.As16()
		b = append(b, bytes[:]...)
	}
	mask := xorMask(id)
	for i := range b[start:] {
		b[start+i] ^= mask[i]
	}
	return b
}
