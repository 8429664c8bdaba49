package sctp

import (
	"time"

	"gazpacho/engine/api"
)

// StateVersion is the Version of the State that this package exports, and the only one that it restores.
const StateVersion = 1

// State is an association as a value, with which another process can go on in its place, so that the peer notices no more than
// a pause. It is plain data for encoding/json or the like. It holds the key of cookies and all messages under way.
//
// Times are relative to the moment of the export. What is not here begins anew: heartbeats, the view of recent losses, the
// backoff of timers. Nothing of it can lose or repeat a message.
type State struct {
	Version  int
	State    api.SCTPState
	Counters Counters

	Key      [32]byte // of cookies
	Tag      uint32   // verification tag of what the peer sends
	FirstTSN uint32   // of ours
	Peer     StatePeer

	// The handshake and the end.
	Cookie       []byte        // to be echoed; none in COOKIE-WAIT
	GiveUpIn     time.Duration // while connecting
	ShuttingDown bool          // the peer sent SHUTDOWN

	Receive StateReceive
	Send    StateSend
}

// StatePeer is what the peer said of itself in its INIT or INIT ACK.
type StatePeer struct {
	Tag          uint32
	Window       uint32 // bytes, at the beginning
	Out, In      uint16 // streams
	FirstTSN     uint32
	Capabilities uint8 // bits: FORWARD-TSN, RE-CONFIG, I-DATA, no checksum
}

// StateReceive is the half that receives.
type StateReceive struct {
	Cumulative uint32        // all TSNs up to here came
	Blocks     []StateBlock  // what came beyond, ascending
	Next       []StateNext   // streams that had ordered messages
	Waiting    []StateInward // complete messages that wait for others
	Partial    []StateInward // what came of others; runs of DATA ascending by TSN

	// Reset is the peer's stream reset (RFC 6525) that was answered last.
	ResetSeq      uint32
	ResetResult   uint32
	ResetDeferred bool
	ResetTSN      uint32
	ResetStreams  []uint16 // nil: none was asked for; empty: all
}

// StateBlock is a row of TSNs that came, counted from the cumulative one as in a SACK.
type StateBlock struct{ First, Last uint16 }

// StateNext is the number of the ordered message that comes next in a stream.
type StateNext struct {
	StreamID uint16
	Seq      uint32
}

// StateInward is a received message that waits for others or for the rest of it.
type StateInward struct {
	StreamID  uint16
	Unordered bool
	Seq       uint32
	PPID      uint32
	Dropped   bool        // larger than messages may be: the parts have no Data
	Parts     []StatePart // one, unless parts of I-DATA are missing in between
	Begin     bool        // of DATA: the first fragment is there
	End       bool        // of DATA: the last one
	Count     uint32      // of I-DATA: fragments of the message; 0 when not known
}

// StatePart is fragments that follow each other.
type StatePart struct {
	First uint32 // TSN of DATA, fragment number of I-DATA
	N     uint32 // fragments
	Data  []byte
}

// StateSend is the half that sends.
type StateSend struct {
	Streams    []StateStream  // those with something to send first, in their turns
	Messages   []StateOutward // of each stream in their order
	Cumulative uint32         // acknowledged
	Chunks     []StateChunk   // under way, from Cumulative+1 on
	PeerWindow int            // bytes

	// Our stream resets: streams that are ready for one, and the request under way.
	ResetSeq   uint32
	ResetReady []uint16
	ResetAsked []uint16 // none: there is no request
	ResetTSN   uint32

	// The path, as far as it was measured.
	RoundTrip, Variation, ShortestRoundTrip time.Duration
	Window, Threshold                       int // of congestion control, bytes
}

// StateStream is an outgoing stream.
type StateStream struct {
	ID                uint16
	Ordered           uint32 // numbers of the next messages
	Unordered         uint32
	BufferedAmountLow uint32 // threshold, bytes
	LastTSN           *uint32
}

// StateOutward is a message that waits to be sent or is under way.
type StateOutward struct {
	StreamID  uint16
	PPID      uint32
	Unordered bool
	Reset     bool           // no message: the stream is reset here
	Data      []byte         // none if all was sent
	Sent      int            // bytes of Data
	Seq       uint32         // once a part was sent
	NextFSN   uint32         // of I-DATA
	Limit     uint32         // transmissions; 0: any number
	Waited    uint32         // timeouts
	ExpiresIn *time.Duration // nil: never
}

// StateChunk is a chunk that the peer has not acknowledged cumulatively.
type StateChunk struct {
	Message       int // index in Messages
	FSN           uint32
	Flags         byte
	State         uint8         // in flight, lost, acknowledged by a gap block, given up
	Transmissions uint16        // so far
	Age           time.Duration // since it was sent last
	Data          []byte        // none if acknowledged or given up
}
