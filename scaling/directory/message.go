package directory

// Key is what an entry is found by. Ids of different tenants have nothing to do with each other.
type Key struct{ Tenant, ID string }

// Entry is a producer of a front.
type Entry struct {
	Key
	// Value says where it is. The directory does not look into it.
	Value string
	// Version tells entries of one key apart, of different nodes and fronts: the one with the highest is found.
	Version uint64
}

// Kind is what a message is about.
type Kind uint8

// Kinds of messages. The first four are about what the sender has registered, or wants registered again.
const (
	Put    Kind = 1 + iota // Entries are new or have changed. If First, they replace all that the sender had there
	Remove                 // Entries are gone; only their keys are set
	Beat                   // the receiver should have so many entries of the sender, with this digest
	Resync                 // the sender has others: they are to be sent again
	Query                  // Entries has the key that is looked for
	Answer                 // Entries has what was found, if anything; Unsure says that the sender may not know yet
)

// Bulk reports whether a message is one of many that tell what the sender has registered: their order counts, and they may wait behind
// each other. Others are waited for.
func (k Kind) Bulk() bool { return k <= Resync }

// Message is what one node tells another one.
type Message struct {
	Kind    Kind
	First   bool
	Unsure  bool
	Count   int
	Digest  uint64
	Token   uint64
	Entries []Entry
}

// overhead is about what an entry takes in a table besides its strings.
const overhead = 100

func (e *Entry) size() int { return len(e.Tenant) + len(e.ID) + len(e.Value) + overhead }

// Weight is how much a node is to hold a key: of several, the two with the highest weight hold it. All nodes of a cluster have to agree.
func Weight(node uint64, key uint64) uint64 { return mix(node ^ mix(key)) }

// hash is FNV-1a of 64 bits. A zero byte ends each part.
func hash(parts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, part := range parts {
		for i := range len(part) {
			h = (h ^ uint64(part[i])) * 1099511628211
		}
		h *= 1099511628211
	}
	return h
}

func (k *Key) hash() uint64 { return hash(k.Tenant, k.ID) }

// digest is what an entry adds to that of a set.
func (e *Entry) digest() uint64 { return mix(hash(e.Tenant, e.ID, e.Value) ^ mix(e.Version)) }

// mix is the finalizer of splitmix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
