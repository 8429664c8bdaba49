package dtls

import "gazpacho/engine/api"

// Role is who sends the ClientHello. The values are those of the worker's protocol.
type Role = api.DTLSRole

// The roles of this side.
const (
	Auto   = api.DTLSRoleAuto // becomes Server, as in upstream
	Client = api.DTLSRoleClient
	Server = api.DTLSRoleServer
)

// Output is what Poll drains. The slices' contents belong to the caller; Poll overwrites the slices themselves.
// States come first, then Data: data is only ever received after Connected and before Closed. A state change to Closed or
// Failed is the last one until the next Start.
type Output struct {
	Datagrams [][]byte      // to send to the selected tuple, in this order
	States    []StateChange // in this order
	Data      [][]byte      // decrypted application data (SCTP packets), in this order
}

// StateChange tells of a new state, in upstream's terms: Connecting when Start runs, Connected when the peer has proved that
// it holds the certificate announced, Failed when the handshake came to nothing, Closed when the connected peer closed.
type StateChange struct {
	State             api.DTLSState
	RemoteCertificate string // PEM; Connected only
	SRTP              SRTP   // Connected only
	Reason            error  // why, for the log; Failed only
}

// SRTP is what the handshake agreed on for media (RFC 5764 section 4.2).
type SRTP struct {
	Suite         api.SRTPCryptoSuite
	LocalKeySalt  []byte // master key followed by master salt, for what this side sends
	RemoteKeySalt []byte // the same for what the peer sends
}

// Counters tells what one Transport dropped.
type Counters struct {
	Malformed    uint64 // datagrams or records that are no DTLS 1.2, or do not belong to the phase
	Unauthentic  uint64 // records that failed authentication or were replayed
	InputFull    uint64 // datagrams that did not fit the queue in front of the handshake
	OutputFull   uint64 // datagrams or application data that the caller did not drain in time
	Overload     uint64 // ClientHellos refused because too many handshakes wait already
	Renegotiated uint64 // attempts to renegotiate, refused
}
