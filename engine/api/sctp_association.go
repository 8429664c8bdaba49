package api

// SCTPState is the state of an SCTP association (FBS.SctpAssociation.SctpState).
type SCTPState uint8

const (
	SCTPStateNew        SCTPState = 0
	SCTPStateConnecting SCTPState = 1
	SCTPStateConnected  SCTPState = 2
	SCTPStateFailed     SCTPState = 3
	SCTPStateClosed     SCTPState = 4
)

var namesSCTPState = []string{"NEW", "CONNECTING", "CONNECTED", "FAILED", "CLOSED"}

// EnumNames returns the schema's member names, indexed by value.
func (SCTPState) EnumNames() []string { return namesSCTPState }

// String returns the schema's member name.
func (v SCTPState) String() string { return enumName(namesSCTPState, uint8(v)) }

// SCTPNegotiatedCapabilities is what both ends of an SCTP association agreed on
// (FBS.SctpAssociation.SctpNegotiatedCapabilities).
type SCTPNegotiatedCapabilities struct {
	NegotiatedMaxOutboundStreams uint16
	NegotiatedMaxInboundStreams  uint16
}
