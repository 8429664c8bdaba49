package dtls

import (
	"crypto/sha1" //nolint:gosec // one of the five algorithms that mediasoup offers; signalling chooses
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"

	"gazpacho/engine/api"
)

// algorithms in upstream's order (RFC 8122 section 5, without the two of MD).
var algorithms = []api.FingerprintAlgorithm{
	api.FingerprintAlgorithmSha1,
	api.FingerprintAlgorithmSha224,
	api.FingerprintAlgorithmSha256,
	api.FingerprintAlgorithmSha384,
	api.FingerprintAlgorithmSha512,
}

// digest hashes a DER certificate; nil when the algorithm is none of ours.
func digest(algorithm api.FingerprintAlgorithm, der []byte) []byte {
	switch algorithm {
	case api.FingerprintAlgorithmSha1:
		sum := sha1.Sum(der) //nolint:gosec // see the import
		return sum[:]
	case api.FingerprintAlgorithmSha224:
		sum := sha256.Sum224(der)
		return sum[:]
	case api.FingerprintAlgorithmSha256:
		sum := sha256.Sum256(der)
		return sum[:]
	case api.FingerprintAlgorithmSha384:
		sum := sha512.Sum384(der)
		return sum[:]
	case api.FingerprintAlgorithmSha512:
		sum := sha512.Sum512(der)
		return sum[:]
	}
	return nil
}

func fingerprintsOf(der []byte) []api.Fingerprint {
	all := make([]api.Fingerprint, len(algorithms))
	for i, algorithm := range algorithms {
		all[i] = api.Fingerprint{Algorithm: algorithm, Value: formatDigest(digest(algorithm, der))}
	}
	return all
}

// formatDigest writes upper-case hexadecimal with a colon between bytes.
func formatDigest(sum []byte) string {
	var b strings.Builder
	b.Grow(3 * len(sum))
	for i, v := range sum {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02X", v)
	}
	return b.String()
}

// checkFingerprint tells whether der is the certificate that signalling announced. A value that is no fingerprint of its
// algorithm's length matches nothing.
func checkFingerprint(announced api.Fingerprint, der []byte) error {
	got := digest(announced.Algorithm, der)
	want, err := hex.DecodeString(strings.ReplaceAll(announced.Value, ":", ""))
	if got != nil && err == nil && subtle.ConstantTimeCompare(got, want) == 1 {
		return nil
	}
	return fmt.Errorf("the %s fingerprint of the peer's certificate is %s, the announced one %q",
		announced.Algorithm, formatDigest(got), announced.Value)
}
