package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/identity"
)

// folder returns the certificates of a cluster with the node a and the application edumeet.
func folder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tls")
	require.NoError(t, identity.CreateAuthority(dir, time.Now()))
	issue(t, dir, identity.Identity{Role: identity.Node, Name: "a"})
	issue(t, dir, identity.Identity{Role: identity.Application, Name: "edumeet", Tenant: "school"})
	return dir
}

func issue(t *testing.T, dir string, i identity.Identity) (certificate, key string) {
	t.Helper()
	certificate, key, err := identity.Issue(dir, i, time.Now())
	require.NoError(t, err)
	return certificate, key
}

func load(t *testing.T, dir string, role identity.Role, name string) *identity.Credentials {
	t.Helper()
	c, err := identity.Load(dir, role, name)
	require.NoError(t, err)
	return c
}

// handshake connects two configurations over loopback and returns what each side says of it.
func handshake(t *testing.T, server, client *tls.Config) (at, from *tls.Conn, serverErr, clientErr error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	b, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	a, err := listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { a.Close(); b.Close() })
	at, from = tls.Server(a, server), tls.Client(b, client)
	done := make(chan error, 1)
	go func() {
		err := at.Handshake()
		if err != nil {
			a.Close()
		}
		done <- err
	}()
	if clientErr = from.Handshake(); clientErr != nil {
		b.Close()
	}
	return at, from, <-done, clientErr
}

func TestNodeAndApplicationKnowEachOther(t *testing.T) {
	dir := folder(t)
	at, from, serverErr, clientErr := handshake(t,
		load(t, dir, identity.Node, "").Server(), load(t, dir, identity.Application, "").Client(identity.Node))
	require.NoError(t, serverErr)
	require.NoError(t, clientErr)
	app, err := identity.Peer(at.ConnectionState())
	require.NoError(t, err)
	require.Equal(t, "school", app.Tenant)
	require.Equal(t, "application edumeet", app.String())
	node, err := identity.Peer(from.ConnectionState())
	require.NoError(t, err)
	require.Equal(t, "node a", node.String())
	_, err = identity.Peer(tls.ConnectionState{})
	require.Error(t, err)
}

func TestStrangersAreRefused(t *testing.T) {
	dir, other := folder(t), folder(t)
	server := load(t, dir, identity.Node, "a").Server()
	client := load(t, dir, identity.Application, "edumeet").Client(identity.Node)

	t.Run("no certificate", func(t *testing.T) {
		_, _, err, _ := handshake(t, server, &tls.Config{InsecureSkipVerify: true})
		require.Error(t, err)
	})
	t.Run("client of another authority", func(t *testing.T) {
		_, _, err, _ := handshake(t, server, load(t, other, identity.Application, "edumeet").Client(identity.Node))
		require.Error(t, err)
	})
	t.Run("server of another authority", func(t *testing.T) {
		_, _, _, err := handshake(t, load(t, other, identity.Node, "a").Server(), client)
		require.Error(t, err)
	})
	t.Run("an application that plays a node", func(t *testing.T) {
		_, _, _, err := handshake(t, load(t, dir, identity.Application, "edumeet").Server(), client)
		require.Error(t, err)
	})
	t.Run("a node where an application is wanted", func(t *testing.T) {
		_, _, _, err := handshake(t, server, load(t, dir, identity.Application, "edumeet").Client(identity.Application))
		require.ErrorContains(t, err, "not of the role application")
	})
	t.Run("expired", func(t *testing.T) {
		_, _, err := identity.Issue(dir, identity.Identity{Role: identity.Application, Name: "old"}, time.Now().AddDate(-2, 0, 0))
		require.NoError(t, err)
		_, _, err, _ = handshake(t, server, load(t, dir, identity.Application, "old").Client(identity.Node))
		require.ErrorContains(t, err, "expired")
	})
	t.Run("TLS 1.2", func(t *testing.T) {
		old := client.Clone()
		old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		_, _, err, _ := handshake(t, server, old)
		require.Error(t, err)
	})
}

// Certificates that are renewed, and a deny list that grows, count from the next connection on.
func TestFilesThatChange(t *testing.T) {
	dir := folder(t)
	node, app := load(t, dir, identity.Node, "a"), load(t, dir, identity.Application, "edumeet")
	server, client := node.Server(), app.Client(identity.Node)
	_, _, err, _ := handshake(t, server, client)
	require.NoError(t, err)

	certificate, _ := issue(t, dir, identity.Identity{Role: identity.Application, Name: "edumeet", Tenant: "university"})
	at, _, err, _ := handshake(t, server, client)
	require.NoError(t, err)
	peer, err := identity.Peer(at.ConnectionState())
	require.NoError(t, err)
	require.Equal(t, "university", peer.Tenant)
	require.Equal(t, "university", app.Identity().Tenant)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "denied.txt"), []byte("# stolen\nno number\n"), 0o600))
	_, _, err, _ = handshake(t, server, client)
	require.NoError(t, err, "a deny list that cannot be read leaves the old one in force")
	require.ErrorContains(t, node.Complaint(), "line 2")

	list := "# stolen\n" + serialOf(t, certificate) + " # edumeet's laptop\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "denied.txt"), []byte(list), 0o600))
	_, _, err, _ = handshake(t, server, client)
	require.ErrorContains(t, err, "deny list")
	require.NoError(t, node.Complaint())

	require.NoError(t, os.Remove(filepath.Join(dir, "denied.txt")))
	_, _, err, _ = handshake(t, server, client)
	require.NoError(t, err)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("garbage"), 0o600))
	_, _, err, _ = handshake(t, server, client)
	require.NoError(t, err)
	require.ErrorContains(t, node.Complaint(), "ca.pem holds no certificate")
}

func serialOf(t *testing.T, file string) string {
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	block, _ := pem.Decode(b)
	c, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	// With zeros in front, colons and capitals, as programs print it.
	return "00:" + strings.ToUpper(c.SerialNumber.Text(16)[:2]) + ":" + c.SerialNumber.Text(16)[2:]
}

func TestIssuing(t *testing.T) {
	dir := folder(t)
	require.ErrorContains(t, identity.CreateAuthority(dir, time.Now()), "exists already")
	for _, name := range []string{"", "a/b", "../x", "-a", "a b"} {
		_, _, err := identity.Issue(dir, identity.Identity{Role: identity.Node, Name: name}, time.Now())
		require.ErrorContains(t, err, "is no name", name)
	}
	_, _, err := identity.Issue(dir, identity.Identity{Role: identity.Application, Name: "a", Tenant: "/"}, time.Now())
	require.ErrorContains(t, err, "tenant")
	_, _, err = identity.Issue(t.TempDir(), identity.Identity{Role: identity.Node, Name: "a"}, time.Now())
	require.ErrorContains(t, err, "gazpacho certificates ca")

	_, key := identity.Files(dir, identity.Node, "a")
	info, err := os.Stat(key)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())

	for what, spoil := range map[string]func(dir string){
		"no certificate in PEM": func(dir string) { write(t, dir, "ca.pem", "x") },
		"no key in PEM":         func(dir string) { write(t, dir, "ca-key.pem", "x") },
		"is not the key of": func(dir string) {
			b, err := os.ReadFile(filepath.Join(folder(t), "ca-key.pem"))
			require.NoError(t, err)
			write(t, dir, "ca-key.pem", string(b))
		},
		"ca-key.pem": func(dir string) {
			write(t, dir, "ca-key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
		},
		"the authority's key": func(dir string) { require.NoError(t, os.Remove(filepath.Join(dir, "ca-key.pem"))) },
	} {
		dir := folder(t)
		spoil(dir)
		_, _, err := identity.Issue(dir, identity.Identity{Role: identity.Node, Name: "b"}, time.Now())
		require.ErrorContains(t, err, what)
	}
}

func write(t *testing.T, dir, name, text string) {
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
}

func TestLoadingSaysWhatIsWrong(t *testing.T) {
	dir := folder(t)
	issue(t, dir, identity.Identity{Role: identity.Application, Name: "second"})
	_, err := identity.Load(dir, identity.Application, "")
	require.ErrorContains(t, err, "2 certificates of the role application; name the one to use")
	_, err = identity.Load(dir, identity.Operator, "")
	require.ErrorContains(t, err, "has no certificate of the role operator")
	_, err = identity.Load(dir, identity.Node, "b")
	require.ErrorContains(t, err, "certificate of the node b")

	cert, key := identity.Files(dir, identity.Node, "a")
	otherCert, otherKey := identity.Files(dir, identity.Node, "c")
	require.NoError(t, os.Rename(cert, otherCert))
	require.NoError(t, os.Rename(key, otherKey))
	_, err = identity.Load(dir, identity.Node, "c")
	require.ErrorContains(t, err, "is the certificate of the node a")

	issue(t, dir, identity.Identity{Role: identity.Node, Name: "a"})
	require.NoError(t, os.Remove(filepath.Join(dir, "ca.pem")))
	_, err = identity.Load(dir, identity.Node, "a")
	require.ErrorContains(t, err, "ca.pem")
}

func TestCertificatesThatNameNobody(t *testing.T) {
	c := &x509.Certificate{}
	_, err := identity.Of(c)
	require.ErrorContains(t, err, "names no role")
	c.Subject.OrganizationalUnit = []string{"king"}
	_, err = identity.Of(c)
	require.ErrorContains(t, err, `"king"`)
	c.Subject.OrganizationalUnit = []string{"node"}
	_, err = identity.Of(c)
	require.ErrorContains(t, err, "is no name")
}

// What the file system does not allow is said, and no half of a pair is left.
func TestFoldersThatCannotBeUsed(t *testing.T) {
	now := time.Now()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.ErrorContains(t, identity.CreateAuthority(filepath.Join(file, "tls"), now), "not a directory")

	dir := folder(t)
	certificate, key := identity.Files(dir, identity.Node, "b")
	require.NoError(t, os.MkdirAll(filepath.Join(key, "in the way"), 0o700))
	_, _, err := identity.Issue(dir, identity.Identity{Role: identity.Node, Name: "b"}, now)
	require.Error(t, err)
	require.NoFileExists(t, certificate)
	_, _, err = identity.Issue(dir, identity.Identity{Role: identity.Role(strings.Repeat("r", 250)), Name: "b"}, now)
	require.ErrorContains(t, err, "file name too long")

	_, err = identity.Load("[", identity.Node, "")
	require.ErrorIs(t, err, filepath.ErrBadPattern)
	issue(t, dir, identity.Identity{Role: "chicken", Name: "c"})
	_, err = identity.Load(dir, "chicken", "c")
	require.ErrorContains(t, err, "chicken")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "denied.txt"), 0o700))
	_, err = identity.Load(dir, identity.Node, "a")
	require.ErrorContains(t, err, "denied.txt")
}

func TestNobodyIsVerified(t *testing.T) {
	c := load(t, folder(t), identity.Node, "a")
	require.ErrorContains(t, c.Server().VerifyConnection(tls.ConnectionState{}), "no certificate")
}

// Nodes know each other at both ends of a connection.
func TestPeers(t *testing.T) {
	dir := folder(t)
	issue(t, dir, identity.Identity{Role: identity.Node, Name: "b"})
	a, b := load(t, dir, identity.Node, "a").Peers(identity.Node), load(t, dir, identity.Node, "b").Peers(identity.Node)
	for _, ends := range [][2]*tls.Config{{a, b}, {b, a}} {
		_, _, serverErr, clientErr := handshake(t, ends[0], ends[1])
		require.NoError(t, serverErr)
		require.NoError(t, clientErr)
	}
	_, _, serverErr, _ := handshake(t, a, load(t, dir, identity.Application, "edumeet").Client(identity.Node))
	require.Error(t, serverErr)
}

// A server that is none of the cluster's is known by its host name, and by an authority that the machine or the cluster trusts.
func TestServersOfOthers(t *testing.T) {
	dir, other := folder(t), folder(t)
	server := func(of string) *tls.Config {
		ca, err := tls.LoadX509KeyPair(filepath.Join(of, "ca.pem"), filepath.Join(of, "ca-key.pem"))
		require.NoError(t, err)
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		require.NoError(t, err)
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"nats.example"},
		}, ca.Leaf, &key.PublicKey, ca.PrivateKey)
		require.NoError(t, err)
		return &tls.Config{
			Certificates: []tls.Certificate{{Certificate: [][]byte{der, ca.Leaf.Raw}, PrivateKey: key}}, ClientAuth: tls.RequireAnyClientCert,
		}
	}
	node := load(t, dir, identity.Node, "a")
	at, _, serverErr, clientErr := handshake(t, server(dir), node.ClientOf("nats.example"))
	require.NoError(t, serverErr)
	require.NoError(t, clientErr)
	who, err := identity.Peer(at.ConnectionState())
	require.NoError(t, err)
	require.Equal(t, "node a", who.String(), "it is shown ours")
	_, _, _, clientErr = handshake(t, server(dir), node.ClientOf("another.example"))
	require.ErrorContains(t, clientErr, "not another.example")
	_, _, _, clientErr = handshake(t, server(other), node.ClientOf("nats.example"))
	require.ErrorContains(t, clientErr, "unknown authority")
}

// A server that is none of the cluster's lets in clients of the role that it wants.
func TestVerifyClients(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, identity.CreateAuthority(dir, time.Now()))
	state := func(role identity.Role) tls.ConnectionState {
		certFile, _, err := identity.Issue(dir, identity.Identity{Role: role, Name: "x"}, time.Now())
		require.NoError(t, err)
		b, err := os.ReadFile(certFile)
		require.NoError(t, err)
		block, _ := pem.Decode(b)
		certificate, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		return tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate}}
	}
	operator := state(identity.Operator)
	credentials, err := identity.Load(dir, identity.Operator, "x")
	require.NoError(t, err)
	verify := credentials.Verify(identity.Operator)
	require.NoError(t, verify(operator))
	require.ErrorContains(t, verify(state(identity.Application)), "not of the role operator")
	require.Error(t, verify(tls.ConnectionState{}))
}

// A certificate ends with the authority that issued it. A new one counts as soon as it is there.
func TestExpiry(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	dir := t.TempDir()
	require.NoError(t, identity.CreateAuthority(dir, now.AddDate(-9, -6, 0)))
	expires := func(issued time.Time) time.Time {
		t.Helper()
		_, _, err := identity.Issue(dir, identity.Identity{Role: identity.Node, Name: "a"}, issued)
		require.NoError(t, err)
		c, err := identity.Load(dir, identity.Node, "a")
		require.NoError(t, err)
		return c.Expires()
	}
	require.WithinDuration(t, now.AddDate(0, -1, 0), expires(now.AddDate(-1, -1, 0)), 48*time.Hour, "it has expired")
	c, err := identity.Load(dir, identity.Node, "a")
	require.NoError(t, err)
	end := now.AddDate(-9, -6, 0).AddDate(10, 0, 0) // of the authority
	require.WithinDuration(t, end, expires(now), time.Second)
	require.WithinDuration(t, end, c.Expires(), time.Second)

	require.NoError(t, os.Remove(filepath.Join(dir, "ca.pem")))
	require.NoError(t, os.Remove(filepath.Join(dir, "ca-key.pem")))
	require.NoError(t, identity.CreateAuthority(dir, now))
	require.WithinDuration(t, now.AddDate(1, 0, 0), c.Expires(), 48*time.Hour, "another authority counts, whose certificate this is not")
}
