package dtls

import (
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cryptoasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// DTLS-SRTP looks at two things in a certificate: its fingerprint and its key (RFC 8122 section 6). crypto/x509 looks at more
// and refuses some certificates that OpenSSL takes. What this file reads of a certificate of the application's, and of its
// private key, is the way to the key. A curve in explicit parameters gets its name, which crypto/x509 wants.

var (
	errCertificateStructure = errors.New("not a DER certificate")
	errKeyStructure         = errors.New("not a DER private key")
	errCurve                = errors.New("the key's elliptic curve is none of P-224, P-256, P-384 and P-521")
	errRSAPSS               = errors.New("the key is for RSA-PSS only, with which pion does not sign in DTLS 1.2")
)

// From RFC 5480 section 2.1.1, RFC 3279 section 2.3.5, RFC 8017 appendix C.
var (
	oidECPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidPrimeField  = asn1.ObjectIdentifier{1, 2, 840, 10045, 1, 1}
	oidRSAPSS      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}

	namedCurves = []struct {
		oid   asn1.ObjectIdentifier
		curve elliptic.Curve
	}{
		{asn1.ObjectIdentifier{1, 3, 132, 0, 33}, elliptic.P224()},
		{asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, elliptic.P256()},
		{asn1.ObjectIdentifier{1, 3, 132, 0, 34}, elliptic.P384()},
		{asn1.ObjectIdentifier{1, 3, 132, 0, 35}, elliptic.P521()},
	}
)

// publicKeyOf returns the public key of a DER certificate (RFC 5280 section 4.1).
func publicKeyOf(der []byte) (any, error) {
	input := cryptobyte.String(der)
	var certificate, tbs, info, algorithm, bits cryptobyte.String
	if !input.ReadASN1(&certificate, cryptoasn1.SEQUENCE) || !input.Empty() ||
		!certificate.ReadASN1(&tbs, cryptoasn1.SEQUENCE) ||
		!tbs.SkipOptionalASN1(contextTag(0)) || // version
		!tbs.SkipASN1(cryptoasn1.INTEGER) || // serial number
		!tbs.SkipASN1(cryptoasn1.SEQUENCE) || // signature
		!tbs.SkipASN1(cryptoasn1.SEQUENCE) || // issuer
		!tbs.SkipASN1(cryptoasn1.SEQUENCE) || // validity
		!tbs.SkipASN1(cryptoasn1.SEQUENCE) || // subject
		!tbs.ReadASN1(&info, cryptoasn1.SEQUENCE) ||
		!info.ReadASN1(&algorithm, cryptoasn1.SEQUENCE) ||
		!info.ReadASN1Element(&bits, cryptoasn1.BIT_STRING) {
		return nil, errCertificateStructure
	}
	known, err := knownAlgorithm(algorithm)
	if err != nil {
		return nil, err
	}
	rewritten, err := sequence(known, bits)
	if err != nil {
		return nil, err
	}
	return x509.ParsePKIXPublicKey(rewritten)
}

// parsePKCS8 is x509.ParsePKCS8PrivateKey (RFC 5208 section 5) with explicit parameters allowed.
func parsePKCS8(der []byte) (any, error) {
	input := cryptobyte.String(der)
	var info, version, algorithm, private cryptobyte.String
	if !input.ReadASN1(&info, cryptoasn1.SEQUENCE) ||
		!info.ReadASN1Element(&version, cryptoasn1.INTEGER) ||
		!info.ReadASN1(&algorithm, cryptoasn1.SEQUENCE) ||
		!info.ReadASN1Element(&private, cryptoasn1.OCTET_STRING) {
		return nil, errKeyStructure
	}
	known, err := knownAlgorithm(algorithm)
	if err != nil {
		return nil, err
	}
	rewritten, err := sequence(version, known, private)
	if err != nil {
		return nil, err
	}
	return x509.ParsePKCS8PrivateKey(rewritten)
}

// parseSEC1 is x509.ParseECPrivateKey (RFC 5915 section 3) with explicit parameters allowed.
func parseSEC1(der []byte) (any, error) {
	input := cryptobyte.String(der)
	var info, version, private, parameters cryptobyte.String
	var hasParameters bool
	if !input.ReadASN1(&info, cryptoasn1.SEQUENCE) ||
		!info.ReadASN1Element(&version, cryptoasn1.INTEGER) ||
		!info.ReadASN1Element(&private, cryptoasn1.OCTET_STRING) ||
		!info.ReadOptionalASN1(&parameters, &hasParameters, contextTag(0)) || !hasParameters {
		return nil, errKeyStructure
	}
	named, err := namedCurve(parameters)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) { b.AddBytes(named) })
	tagged, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	rewritten, err := sequence(version, private, tagged)
	if err != nil {
		return nil, err
	}
	return x509.ParseECPrivateKey(rewritten)
}

// knownAlgorithm returns an AlgorithmIdentifier, the content of which is given, as crypto/x509 knows it: a curve by its name.
func knownAlgorithm(content cryptobyte.String) ([]byte, error) {
	parameters := content
	var oid asn1.ObjectIdentifier
	if !parameters.ReadASN1ObjectIdentifier(&oid) {
		return nil, errKeyStructure
	}
	if oid.Equal(oidRSAPSS) {
		return nil, errRSAPSS
	}
	if !oid.Equal(oidECPublicKey) {
		return sequence(content)
	}
	named, err := namedCurve(parameters)
	if err != nil {
		return nil, err
	}
	encoded, err := asn1.Marshal(oid)
	if err != nil {
		return nil, err
	}
	return sequence(encoded, named)
}

// namedCurve returns EC parameters (RFC 3279 section 2.3.5) by name. Explicit ones must be those of a named curve, all of them:
// with a generator of their own, anybody could have made a private key for a given public one (CVE-2020-0601).
func namedCurve(parameters cryptobyte.String) ([]byte, error) {
	if parameters.PeekASN1Tag(cryptoasn1.OBJECT_IDENTIFIER) {
		return parameters, nil
	}
	var explicit, field, curve, a, b, base cryptobyte.String
	var fieldType asn1.ObjectIdentifier
	p, order := new(big.Int), new(big.Int)
	if !parameters.ReadASN1(&explicit, cryptoasn1.SEQUENCE) ||
		!explicit.SkipASN1(cryptoasn1.INTEGER) || // version
		!explicit.ReadASN1(&field, cryptoasn1.SEQUENCE) ||
		!field.ReadASN1ObjectIdentifier(&fieldType) || !fieldType.Equal(oidPrimeField) ||
		!field.ReadASN1Integer(p) ||
		!explicit.ReadASN1(&curve, cryptoasn1.SEQUENCE) ||
		!curve.ReadASN1(&a, cryptoasn1.OCTET_STRING) ||
		!curve.ReadASN1(&b, cryptoasn1.OCTET_STRING) ||
		!explicit.ReadASN1(&base, cryptoasn1.OCTET_STRING) ||
		!explicit.ReadASN1Integer(order) {
		return nil, errCurve
	}
	for _, known := range namedCurves {
		c := known.curve.Params()
		minus3 := new(big.Int).Sub(c.P, big.NewInt(3)) // a of all four
		if c.P.Cmp(p) == 0 && c.N.Cmp(order) == 0 && minus3.Cmp(new(big.Int).SetBytes(a)) == 0 &&
			c.B.Cmp(new(big.Int).SetBytes(b)) == 0 && isGenerator(base, c) {
			return asn1.Marshal(known.oid)
		}
	}
	return nil, errCurve
}

// isGenerator reports whether an encoded point (SEC 1 section 2.3.3), compressed or not, is the generator of a curve.
func isGenerator(point []byte, c *elliptic.CurveParams) bool {
	n := (c.BitSize + 7) / 8
	x, y := c.Gx.FillBytes(make([]byte, n)), c.Gy.FillBytes(make([]byte, n))
	compressed := string(append([]byte{2 + byte(c.Gy.Bit(0))}, x...))
	uncompressed := string(append(append([]byte{4}, x...), y...))
	return string(point) == compressed || string(point) == uncompressed
}

func contextTag(n uint8) cryptoasn1.Tag { return cryptoasn1.Tag(n).ContextSpecific().Constructed() }

func sequence(elements ...[]byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cryptoasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, e := range elements {
			b.AddBytes(e)
		}
	})
	return b.Bytes()
}
