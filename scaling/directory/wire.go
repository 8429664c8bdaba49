package directory

import (
	"encoding/binary"
	"errors"
	"math"
)

// MaxMessage is the longest message in bytes, chosen here: a bus takes 64 KiB at a time.
const MaxMessage = 56 << 10

// Chosen here.
const (
	// maxEntry is the longest entry in bytes.
	maxEntry = 4 << 10
	// headerLen is the most that a message takes before its entries, entryLen what an entry takes besides its strings.
	headerLen = 2 + 4*binary.MaxVarintLen64
	entryLen  = 1 + 4*binary.MaxVarintLen64
)

// ErrMalformed says that what came is no message.
var ErrMalformed = errors.New("malformed message of the directory")

// Bits of a message's second byte, and of an entry's first one.
const (
	flagFirst = 1 << iota
	flagUnsure
)

const (
	sameTenant = 1 << iota // as that of the entry before
	sameValue
)

// Append appends the message: kind and flags, a byte each; count, digest, token and number of entries; the entries. Numbers, the lengths
// of strings among them, are varints. An entry has a byte of flags, its id, its version, and the tenant and value that the one before does
// not have.
func (m *Message) Append(b []byte) []byte {
	flags := byte(0)
	if m.First {
		flags |= flagFirst
	}
	if m.Unsure {
		flags |= flagUnsure
	}
	b = append(b, byte(m.Kind), flags)
	for _, n := range [...]uint64{uint64(m.Count), m.Digest, m.Token, uint64(len(m.Entries))} {
		b = binary.AppendUvarint(b, n)
	}
	before := &Entry{}
	for i := range m.Entries {
		b = m.Entries[i].append(b, before)
		before = &m.Entries[i]
	}
	return b
}

func (e *Entry) append(b []byte, before *Entry) []byte {
	at := len(b)
	b = appendString(append(b, 0), e.ID)
	b = binary.AppendUvarint(b, e.Version)
	if e.Tenant == before.Tenant {
		b[at] |= sameTenant
	} else {
		b = appendString(b, e.Tenant)
	}
	if e.Value == before.Value {
		b[at] |= sameValue
	} else {
		b = appendString(b, e.Value)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// wireLen is the most that an entry takes in a message.
func (e *Entry) wireLen() int { return entryLen + len(e.Tenant) + len(e.ID) + len(e.Value) }

// Parse reads a message. What it returns does not refer to b.
func Parse(b []byte) (m Message, err error) {
	if len(b) < 2 || len(b) > MaxMessage || b[1] > flagFirst|flagUnsure {
		return Message{}, ErrMalformed
	}
	m = Message{Kind: Kind(b[0]), First: b[1]&flagFirst != 0, Unsure: b[1]&flagUnsure != 0}
	r := reader{b: b[2:]}
	count := r.number()
	m.Digest, m.Token = r.number(), r.number()
	entries := r.number()
	if m.Kind < Put || m.Kind > Answer || count > math.MaxInt32 || entries > uint64(len(r.b)) { // each takes more than a byte
		return Message{}, ErrMalformed
	}
	m.Count = int(count)
	before := Entry{}
	total := headerLen // without what is said only once: work follows it
	for range entries {
		before = r.entry(before)
		if total += before.wireLen(); r.bad || total > MaxMessage {
			return Message{}, ErrMalformed
		}
		m.Entries = append(m.Entries, before)
	}
	if r.bad || len(r.b) > 0 {
		return Message{}, ErrMalformed
	}
	return m, nil
}

// reader reads what is left of a message.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) number() uint64 {
	n, length := binary.Uvarint(r.b)
	if length <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[length:]
	return n
}

func (r *reader) string() string {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *reader) entry(before Entry) (e Entry) {
	flags := r.number()
	e.ID, e.Version = r.string(), r.number()
	e.Tenant, e.Value = before.Tenant, before.Value
	if flags&sameTenant == 0 {
		e.Tenant = r.string()
	}
	if flags&sameValue == 0 {
		e.Value = r.string()
	}
	r.bad = r.bad || flags > sameTenant|sameValue || e.wireLen() > entryLen+maxEntry
	return e
}
