package identity

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Credentials are a certificate of one's own and what others are checked against, read from the folder anew when files
// change. They may be used from any goroutine.
type Credentials struct {
	folder string
	role   Role
	name   string

	mu         sync.Mutex
	files      [4]stamp // of ca, certificate, key and deny list, as they were read
	pair       *tls.Certificate
	identity   Identity
	authority  *x509.CertPool
	denied     map[string]bool
	complained error
}

// stamp tells whether a file has changed.
type stamp struct {
	at   time.Time
	size int64
}

// Load reads the certificate of the given role from the folder. An empty name means the only one of that role.
func Load(folder string, role Role, name string) (*Credentials, error) {
	if name == "" {
		var err error
		if name, err = only(folder, role); err != nil {
			return nil, err
		}
	}
	c := &Credentials{folder: folder, role: role, name: name}
	if err := c.read(); err != nil {
		return nil, err
	}
	return c, nil
}

// only returns the name of the folder's only certificate of a role.
func only(folder string, role Role) (string, error) {
	keys, err := filepath.Glob(filepath.Join(folder, string(role)+"-*-key.pem"))
	if err != nil {
		return "", err
	}
	switch {
	case len(keys) == 0:
		return "", fmt.Errorf("%s has no certificate of the role %s with its key: 'gazpacho certificates' makes one", folder, role)
	case len(keys) > 1:
		return "", fmt.Errorf("%s has %d certificates of the role %s; name the one to use", folder, len(keys), role)
	}
	name := strings.TrimPrefix(filepath.Base(keys[0]), string(role)+"-")
	return strings.TrimSuffix(name, "-key.pem"), nil
}

// Identity returns whose credentials they are.
func (c *Credentials) Identity() Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.identity
}

// Expires returns when the certificate ends to be valid: on its own date, or on that of the authority that issued it, whichever comes first.
// Files that were renewed count at once.
func (c *Credentials) Expires() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refresh()
	return expiry(c.pair.Leaf, c.authority)
}

func expiry(leaf *x509.Certificate, authority *x509.CertPool) time.Time {
	at := leaf.NotBefore // when the authority was valid, too
	chains, err := leaf.Verify(x509.VerifyOptions{Roots: authority, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return leaf.NotAfter
	}
	var last time.Time
	for _, chain := range chains {
		end := leaf.NotAfter
		for _, issuer := range chain[1:] {
			if issuer.NotAfter.Before(end) {
				end = issuer.NotAfter
			}
		}
		if end.After(last) {
			last = end
		}
	}
	return last
}

// Complaint returns why the files, which have changed, cannot be used, so that the old ones still count. Nil if all is well.
func (c *Credentials) Complaint() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.complained
}

// read reads the files.
func (c *Credentials) read() error {
	stamps := c.stamps()
	certFile, keyFile := Files(c.folder, c.role, c.name)
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return fmt.Errorf("certificate of the %s %s: %w", c.role, c.name, err)
	}
	own, err := Of(pair.Leaf)
	if err != nil {
		return fmt.Errorf("%s: %w", certFile, err)
	}
	if own.Role != c.role || own.Name != c.name {
		return fmt.Errorf("%s is the certificate of the %s", certFile, own)
	}
	ca, err := os.ReadFile(filepath.Join(c.folder, caFile))
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return fmt.Errorf("%s holds no certificate", filepath.Join(c.folder, caFile))
	}
	denied, err := readDenied(filepath.Join(c.folder, deniedFile))
	if err != nil {
		return err
	}
	c.files, c.pair, c.identity, c.authority, c.denied = stamps, &pair, own, pool, denied
	return nil
}

// readDenied reads the deny list: a serial number in hexadecimal a line, and comments behind "#".
func readDenied(name string) (map[string]bool, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	denied := map[string]bool{}
	for i, line := range strings.Split(string(b), "\n") {
		line, _, _ = strings.Cut(line, "#")
		number := strings.ToLower(strings.ReplaceAll(strings.TrimSpace(line), ":", ""))
		if number == "" {
			continue
		}
		serial, ok := new(big.Int).SetString(number, 16)
		if !ok {
			return nil, fmt.Errorf("%s, line %d: %q is no serial number in hexadecimal", name, i+1, line)
		}
		denied[serial.Text(16)] = true
	}
	return denied, nil
}

func (c *Credentials) stamps() (s [4]stamp) {
	certFile, keyFile := Files(c.folder, c.role, c.name)
	for i, name := range []string{filepath.Join(c.folder, caFile), certFile, keyFile, filepath.Join(c.folder, deniedFile)} {
		if info, err := os.Stat(name); err == nil {
			s[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

// refresh reads files that have changed. What cannot be read is complained of, and what was read before still counts.
func (c *Credentials) refresh() {
	if c.stamps() != c.files {
		c.complained = c.read()
	}
}

// Server returns the configuration of a node that accepts sessions: it wants a certificate of the cluster.
func (c *Credentials) Server() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		ClientAuth: tls.RequireAnyClientCert, // verified by VerifyConnection, against the authority as it is then
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.present(), nil
		},
		VerifyConnection:       c.verifier(x509.ExtKeyUsageClientAuth, ""),
		SessionTicketsDisabled: true, // a resumed connection would not be verified against a deny list that has grown
	}
}

// Client returns the configuration for connecting to a party of the given role.
func (c *Credentials) Client(to Role) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS13,
		InsecureSkipVerify: true, // host names play no part; VerifyConnection verifies all the rest
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return c.present(), nil
		},
		VerifyConnection: c.verifier(x509.ExtKeyUsageServerAuth, to),
	}
}

// Peers returns the configuration for connections among parties of one role, which may be used at both of their ends.
func (c *Credentials) Peers(role Role) *tls.Config {
	config := c.Client(role)
	config.ClientAuth, config.SessionTicketsDisabled = tls.RequireAnyClientCert, true
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.present(), nil }
	return config
}

// ClientOf returns the configuration for connecting to a server that is none of the cluster's own: it is known by its host name, and has
// a certificate of the cluster's authority or of one that the machine trusts. It is shown this one's if it asks.
func (c *Credentials) ClientOf(host string) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         host,
		InsecureSkipVerify: true, // VerifyConnection verifies, against the authority as it is then
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return c.present(), nil
		},
		VerifyConnection: func(s tls.ConnectionState) error { return c.verifyHost(s, host) },
	}
}

// verifyHost verifies a server by its host name.
func (c *Credentials) verifyHost(s tls.ConnectionState, host string) error {
	c.mu.Lock()
	c.refresh()
	pool := c.authority
	c.mu.Unlock()
	options := x509.VerifyOptions{DNSName: host, Intermediates: x509.NewCertPool()}
	for _, certificate := range s.PeerCertificates[1:] {
		options.Intermediates.AddCert(certificate)
	}
	_, err := s.PeerCertificates[0].Verify(options) // by what the machine trusts
	if err != nil {
		options.Roots = pool
		_, err = s.PeerCertificates[0].Verify(options)
	}
	return err
}

func (c *Credentials) present() *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refresh()
	return c.pair
}

// verifier returns a check of the other side: issued by the authority, not over, not denied, and of the given role unless
// that is empty.
func (c *Credentials) verifier(usage x509.ExtKeyUsage, role Role) func(tls.ConnectionState) error {
	return func(s tls.ConnectionState) error {
		other, err := c.verify(s, usage)
		if err != nil {
			return err
		}
		if role != "" && other.Role != role {
			return fmt.Errorf("the other side is the %s, not of the role %s", other, role)
		}
		return nil
	}
}

// Verify returns a check of clients that want to be of the given role: for servers whose own certificate is none of the cluster's.
func (c *Credentials) Verify(role Role) func(tls.ConnectionState) error {
	return c.verifier(x509.ExtKeyUsageClientAuth, role)
}

func (c *Credentials) verify(s tls.ConnectionState, usage x509.ExtKeyUsage) (Identity, error) {
	c.mu.Lock()
	c.refresh()
	pool, denied := c.authority, c.denied
	c.mu.Unlock()
	if len(s.PeerCertificates) == 0 {
		return Identity{}, errors.New("the other side has no certificate")
	}
	leaf := s.PeerCertificates[0]
	if _, err := leaf.Verify(x509.VerifyOptions{
		Roots: pool, KeyUsages: []x509.ExtKeyUsage{usage},
	}); err != nil {
		return Identity{}, err
	}
	if denied[leaf.SerialNumber.Text(16)] {
		return Identity{}, fmt.Errorf("the certificate %s is on the deny list", leaf.SerialNumber.Text(16))
	}
	return Of(leaf)
}

// Peer returns who is at the other end of a connection that a configuration of this package has verified.
func Peer(s tls.ConnectionState) (Identity, error) {
	if len(s.PeerCertificates) == 0 {
		return Identity{}, errors.New("the other side has no certificate")
	}
	return Of(s.PeerCertificates[0])
}
