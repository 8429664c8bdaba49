package api

// PlainTransportOptions configures a transport for RTP without ICE and DTLS (FBS.PlainTransport.PlainTransportOptions).
type PlainTransportOptions struct {
	Base            *TransportOptions
	ListenInfo      *ListenInfo
	RTCPListenInfo  *ListenInfo // nil: as ListenInfo
	RTCPMux         bool        // RTP and RTCP on one port
	Comedia         bool        // the peer's address is that of its first packet
	EnableSRTP      bool
	SRTPCryptoSuite *SRTPCryptoSuite
}

// PlainTransportConnectRequest gives a plain transport where its peer is (FBS.PlainTransport.ConnectRequest).
type PlainTransportConnectRequest struct {
	IP             string
	Port           *uint16
	RTCPPort       *uint16
	SRTPParameters *SRTPParameters
}

// PlainTransportConnectResponse reports the addresses of a plain transport's two ends
// (FBS.PlainTransport.ConnectResponse).
type PlainTransportConnectResponse struct {
	Tuple          *TransportTuple
	RTCPTuple      *TransportTuple
	SRTPParameters *SRTPParameters
}

// PlainTransportDumpResponse is a plain transport's inner state (FBS.PlainTransport.DumpResponse).
type PlainTransportDumpResponse struct {
	Base           *TransportDump
	RTCPMux        bool
	Comedia        bool
	Tuple          *TransportTuple
	RTCPTuple      *TransportTuple
	SRTPParameters *SRTPParameters
}

// PlainTransportGetStatsResponse carries a plain transport's statistics (FBS.PlainTransport.GetStatsResponse).
type PlainTransportGetStatsResponse struct {
	Base      *TransportStats
	RTCPMux   bool
	Comedia   bool
	Tuple     *TransportTuple
	RTCPTuple *TransportTuple
}

// PlainTransportTupleNotification reports the peer's address for RTP, which comedia mode found
// (FBS.PlainTransport.TupleNotification).
type PlainTransportTupleNotification struct {
	Tuple *TransportTuple
}

// PlainTransportRTCPTupleNotification reports the peer's address for RTCP, which comedia mode found
// (FBS.PlainTransport.RtcpTupleNotification).
type PlainTransportRTCPTupleNotification struct {
	Tuple *TransportTuple
}

// PipeTransportOptions configures a transport that carries media to another router
// (FBS.PipeTransport.PipeTransportOptions).
type PipeTransportOptions struct {
	Base       *TransportOptions
	ListenInfo *ListenInfo
	EnableRTX  bool
	EnableSRTP bool
}

// PipeTransportConnectRequest gives a pipe transport where its peer is (FBS.PipeTransport.ConnectRequest).
type PipeTransportConnectRequest struct {
	IP             string
	Port           *uint16
	SRTPParameters *SRTPParameters
}

// PipeTransportConnectResponse reports the addresses of a pipe transport's two ends (FBS.PipeTransport.ConnectResponse).
type PipeTransportConnectResponse struct {
	Tuple *TransportTuple
}

// PipeTransportDumpResponse is a pipe transport's inner state (FBS.PipeTransport.DumpResponse).
type PipeTransportDumpResponse struct {
	Base           *TransportDump
	Tuple          *TransportTuple
	RTX            bool
	SRTPParameters *SRTPParameters
}

// PipeTransportGetStatsResponse carries a pipe transport's statistics (FBS.PipeTransport.GetStatsResponse).
type PipeTransportGetStatsResponse struct {
	Base  *TransportStats
	Tuple *TransportTuple
}

// DirectTransportOptions configures a transport between the application and the router, without network
// (FBS.DirectTransport.DirectTransportOptions).
type DirectTransportOptions struct {
	Base *TransportOptions
}

// DirectTransportDumpResponse is a direct transport's inner state (FBS.DirectTransport.DumpResponse).
type DirectTransportDumpResponse struct {
	Base *TransportDump
}

// DirectTransportGetStatsResponse carries a direct transport's statistics (FBS.DirectTransport.GetStatsResponse).
type DirectTransportGetStatsResponse struct {
	Base *TransportStats
}

// DirectTransportRTCPNotification carries an RTCP packet to the application (FBS.DirectTransport.RtcpNotification).
type DirectTransportRTCPNotification struct {
	Data []byte
}

// SRTPCryptoSuite is a way to encrypt and authenticate SRTP (RFC 3711, RFC 7714) (FBS.SrtpParameters.SrtpCryptoSuite).
type SRTPCryptoSuite uint8

const (
	SRTPCryptoSuiteAEADAES256GCM      SRTPCryptoSuite = 0
	SRTPCryptoSuiteAEADAES128GCM      SRTPCryptoSuite = 1
	SRTPCryptoSuiteAESCM128HMACSHA180 SRTPCryptoSuite = 2
	SRTPCryptoSuiteAESCM128HMACSHA132 SRTPCryptoSuite = 3
)

var namesSRTPCryptoSuite = []string{
	"AEAD_AES_256_GCM",
	"AEAD_AES_128_GCM",
	"AES_CM_128_HMAC_SHA1_80",
	"AES_CM_128_HMAC_SHA1_32",
}

// EnumNames returns the schema's member names, indexed by value.
func (SRTPCryptoSuite) EnumNames() []string { return namesSRTPCryptoSuite }

// String returns the schema's member name.
func (v SRTPCryptoSuite) String() string { return enumName(namesSRTPCryptoSuite, uint8(v)) }

// SRTPParameters is a suite and its key (FBS.SrtpParameters.SrtpParameters).
type SRTPParameters struct {
	CryptoSuite SRTPCryptoSuite
	KeyBase64   string // master key and salt
}
