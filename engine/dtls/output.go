package dtls

import "gazpacho/engine/api"

// Role decides which side sends the ClientHello. The values are those of the worker's protocol.
type Role = api.DTLSRole

// The roles of this side.
const (
	Auto   = api.DTLSRoleAuto // becomes Server, as in mediasoup
	Client = api.DTLSRoleClient
	Server = api.DTLSRoleServer
)

// Output is filled by Poll. The contents of the slices belong to the caller; the next Poll overwrites the slices themselves.
// Process States before Data: data is received only after Connected and before Closed. A change to Closed or Failed is the
// last one until the next Start.
type Output struct {
	Datagrams [][]byte      // to send to the selected tuple, in this order
	States    []StateChange // in this order
	Data      [][]byte      // decrypted application data (SCTP packets), in this order
}

// StateChange is a change of state, in mediasoup's terms: Connecting at Start, Connected when the peer has proved that it has
// the announced certificate, Failed when the handshake failed, Closed when the connected peer closed.
type StateChange struct {
	State             api.DTLSState
	RemoteCertificate string // PEM; Connected only
	SRTP              SRTP   // Connected only
	Reason            error  // for the log; Failed only
}

// SRTP is what the handshake negotiated for media (RFC 5764 section 4.2).
type SRTP struct {
	Suite         api.SRTPCryptoSuite
	LocalKeySalt  []byte // master key followed by master salt, for what this side sends
	RemoteKeySalt []byte // the same for what the peer sends
}

// Counters counts what a Transport dropped or refused.
type Counters struct {
	Malformed    uint64 // datagrams or records that are not DTLS 1.2, or do not belong to the phase
	Unauthentic  uint64 // records that failed authentication or were replayed
	InputFull    uint64 // datagrams or records that did not fit the queues of the handshake
	OutputFull   uint64 // datagrams or application data that the caller did not drain in time
	Overload     uint64 // ClientHellos refused because too many handshakes wait already
	Displaced    uint64 // handshakes ended because the peer was silent while others waited
	Renegotiated uint64 // attempts to renegotiate, refused
}
