package transport

import (
	"crypto/rand"
	"encoding/base64"

	"gazpacho/engine/api"
	"gazpacho/engine/srtp"
)

// plainSRTP protects the packets of a PlainTransport or PipeTransport. Each side chooses its own key; the remote side chooses the
// suite.
type plainSRTP struct {
	suite    api.SRTPCryptoSuite
	key      []byte // the local master key and salt
	sender   *srtp.Sender
	receiver *srtp.Receiver // nil until connected
}

func newPlainSRTP(suite api.SRTPCryptoSuite) (*plainSRTP, error) {
	s, ok := suiteOf(suite)
	if !ok {
		return nil, api.TypeErrorf("unknown SRTP crypto suite %d", suite)
	}
	key := make([]byte, s.KeyLen()+s.SaltLen())
	rand.Read(key) // crypto/rand.Read never fails
	return &plainSRTP{suite: suite, key: key}, nil
}

// restore takes up the key that an earlier transport had told, and not used yet.
func (s *plainSRTP) restore(r *api.TransportRestore) error {
	if r == nil || r.SRTPParameters == nil {
		return nil
	}
	key, err := base64.StdEncoding.DecodeString(r.SRTPParameters.KeyBase64)
	if err != nil || len(key) != len(s.key) || r.SRTPParameters.CryptoSuite != s.suite {
		return api.TypeErrorf("the SRTP key to restore is none of the transport's suite")
	}
	s.key = key
	return nil
}

func (s *plainSRTP) parameters() *api.SRTPParameters {
	return &api.SRTPParameters{CryptoSuite: s.suite, KeyBase64: base64.StdEncoding.EncodeToString(s.key)}
}

// connect returns a session with the remote side's key. The local key is a new one if the remote side chose another suite.
func (s *plainSRTP) connect(remote *api.SRTPParameters) (*plainSRTP, error) {
	session := &plainSRTP{suite: s.suite, key: s.key}
	if remote.CryptoSuite != s.suite {
		var err error
		if session, err = newPlainSRTP(remote.CryptoSuite); err != nil {
			return nil, err
		}
	}
	remoteKey, err := base64.StdEncoding.DecodeString(remote.KeyBase64)
	if err != nil {
		return nil, api.TypeErrorf("srtpParameters.keyBase64 is not base64: %v", err)
	}
	if len(remoteKey) != len(session.key) {
		return nil, api.TypeErrorf("invalid decoded SRTP key length")
	}
	suite, _ := suiteOf(session.suite)
	if session.sender, err = srtp.NewSender(suite, session.key); err != nil {
		return nil, api.Errorf("error creating SRTP sending session: %v", err)
	}
	if session.receiver, err = srtp.NewReceiver(suite, remoteKey); err != nil {
		return nil, api.Errorf("error creating SRTP receiving session: %v", err)
	}
	return session, nil
}

func suiteOf(suite api.SRTPCryptoSuite) (srtp.Suite, bool) {
	switch suite {
	case api.SRTPCryptoSuiteAEADAES256GCM:
		return srtp.AEADAES256GCM, true
	case api.SRTPCryptoSuiteAEADAES128GCM:
		return srtp.AEADAES128GCM, true
	case api.SRTPCryptoSuiteAESCM128HMACSHA180:
		return srtp.AESCM128HMACSHA180, true
	case api.SRTPCryptoSuiteAESCM128HMACSHA132:
		return srtp.AESCM128HMACSHA132, true
	}
	return 0, false
}
