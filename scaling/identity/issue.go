package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// Files in the folder of a cluster's certificates.
const (
	caFile     = "ca.pem"
	caKeyFile  = "ca-key.pem"
	deniedFile = "denied.txt"
)

// Chosen here. An authority outlives the machines; certificates are renewed by issuing them again, without a restart.
const (
	caYears          = 10
	certificateYears = 1
	backdate         = time.Hour // for machines whose clocks are behind
)

// Files returns the names of a certificate and its key in the folder.
func Files(folder string, role Role, name string) (certificate, key string) {
	base := filepath.Join(folder, string(role)+"-"+name)
	return base + ".pem", base + "-key.pem"
}

// CreateAuthority makes a certificate authority in the folder, which it creates if needed. It overwrites none: every
// certificate issued by the old one would be worthless.
func CreateAuthority(folder string, now time.Time) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for _, name := range []string{caFile, caKeyFile} {
		if _, err := os.Stat(filepath.Join(folder, name)); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s exists already; remove it to begin a new cluster", filepath.Join(folder, name))
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Gazpacho cluster"},
		NotBefore: now.Add(-backdate), NotAfter: now.AddDate(caYears, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	return writePair(filepath.Join(folder, caFile), filepath.Join(folder, caKeyFile), der, key)
}

// Issue makes a certificate and its key, or renews them, and returns the names of the files.
func Issue(folder string, i Identity, now time.Time) (certificate, key string, err error) {
	if err := CheckName(i.Name); err != nil {
		return "", "", err
	}
	if i.Tenant != "" {
		if err := CheckName(i.Tenant); err != nil {
			return "", "", fmt.Errorf("tenant: %w", err)
		}
	}
	ca, caKey, err := authority(folder)
	if err != nil {
		return "", "", err
	}
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: i.Name, OrganizationalUnit: []string{string(i.Role)}},
		NotBefore:    now.Add(-backdate), NotAfter: now.AddDate(certificateYears, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}
	if i.Tenant != "" {
		template.Subject.Organization = []string{i.Tenant}
	}
	if i.Role == Node {
		template.ExtKeyUsage = append(template.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca, &own.PublicKey, caKey)
	if err != nil {
		return "", "", err
	}
	certificate, key = Files(folder, i.Role, i.Name)
	return certificate, key, writePair(certificate, key, der, own)
}

// serial returns a random serial number of 128 bits.
func serial() *big.Int {
	b := make([]byte, 16)
	rand.Read(b)
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b)
}

// authority reads the certificate authority with its key.
func authority(folder string) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	certPEM, err := os.ReadFile(filepath.Join(folder, caFile))
	if err != nil {
		return nil, nil, fmt.Errorf("no certificate authority: %w (gazpacho certificates ca makes one)", err)
	}
	ca, err := parseCertificate(certPEM)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", filepath.Join(folder, caFile), err)
	}
	keyPEM, err := os.ReadFile(filepath.Join(folder, caKeyFile))
	if err != nil {
		return nil, nil, fmt.Errorf("the authority's key is needed to issue certificates: %w", err)
	}
	block, _ := pem.Decode(keyPEM)
	if block == nil {
		return nil, nil, fmt.Errorf("%s holds no key in PEM", filepath.Join(folder, caKeyFile))
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", filepath.Join(folder, caKeyFile), err)
	}
	own, ok := key.(*ecdsa.PrivateKey)
	if !ok || !own.PublicKey.Equal(ca.PublicKey) {
		return nil, nil, fmt.Errorf("%s is not the key of %s", filepath.Join(folder, caKeyFile), caFile)
	}
	return ca, own, nil
}

func parseCertificate(b []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("no certificate in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

// writePair writes key and certificate. Each file appears whole, so that a process which reads it meanwhile gets the old or
// the new one; the key comes first, and a reader that finds two which do not fit together keeps what it had.
func writePair(certificate, keyFile string, der []byte, key *ecdsa.PrivateKey) error {
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writeFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}), 0o600); err != nil {
		return err
	}
	return writeFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

func writeFile(name string, b []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it has its name
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
