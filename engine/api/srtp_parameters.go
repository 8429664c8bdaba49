package api

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
