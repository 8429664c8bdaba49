package bus_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gazpacho/scaling/bus"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
)

// patience is for what happens in well under a second on an idle machine.
const patience = 30 * time.Second

// certificates makes a cluster's certificates: nodes a to e, an application and an operator.
func certificates(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	now := time.Now()
	require.NoError(t, identity.CreateAuthority(folder, now))
	issue := func(i identity.Identity) {
		_, _, err := identity.Issue(folder, i, now)
		require.NoError(t, err)
	}
	for _, name := range []string{"a", "b", "c", "d", "e.example.org"} {
		issue(identity.Identity{Role: identity.Node, Name: name})
	}
	issue(identity.Identity{Role: identity.Application, Name: "app", Tenant: "app"})
	issue(identity.Identity{Role: identity.Operator, Name: "op"})
	return folder
}

// certificateOf returns the certificate of a server that is no node, by the cluster's authority.
func certificateOf(t *testing.T, folder, ip string) tls.Certificate {
	t.Helper()
	ca, err := tls.LoadX509KeyPair(filepath.Join(folder, "ca.pem"), filepath.Join(folder, "ca-key.pem"))
	require.NoError(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.ParseIP(ip)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.Leaf, &key.PublicKey, ca.PrivateKey)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// writer passes on what is written, as long as there is room.
type writer chan string

// Write implements io.Writer.
func (w writer) Write(b []byte) (int, error) {
	select {
	case w <- string(b):
	default:
	}
	return len(b), nil
}

func load(t *testing.T, folder string, role identity.Role, name string) *identity.Credentials {
	t.Helper()
	c, err := identity.Load(folder, role, name)
	require.NoError(t, err)
	return c
}

// addresses returns addresses whose ports, and the next ones, are free.
func addresses(t *testing.T, count int) (list []string) {
	t.Helper()
	for len(list) < count {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		_, text, _ := net.SplitHostPort(l.Addr().String())
		port, _ := strconv.Atoi(text)
		next, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port+1))
		if err != nil {
			continue
		}
		defer next.Close()
		list = append(list, l.Addr().String())
	}
	return list
}

// node is a node with what it was told.
type node struct {
	*bus.Node
	mu   sync.Mutex
	self membership.Node
	told []membership.Row
}

// selfOf returns what a process of that name says of itself.
func selfOf(name string) membership.Node {
	return membership.Node{Name: name, Incarnation: rand.Text(), Addresses: []string{name + ":7000"}}
}

// start starts a node that must join.
func start(t *testing.T, name string, o bus.Options) *node {
	t.Helper()
	n, err := tryStart(t, name, o)
	require.NoError(t, err)
	return n
}

func tryStart(t *testing.T, name string, o bus.Options) (*node, error) {
	n := &node{self: selfOf(name)}
	o.Self = func() membership.Node {
		n.mu.Lock()
		defer n.mu.Unlock()
		return n.self
	}
	o.Changed = func(rows []membership.Row) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.told = append(n.told, rows...)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var err error
	if n.Node, err = bus.Join(ctx, o); err != nil {
		return nil, err
	}
	t.Cleanup(n.Close)
	return n, nil
}

// sees waits until a node's table has these, as "name condition".
func (n *node) sees(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	if !eventually(func() bool {
		got = got[:0]
		for _, r := range n.Rows() {
			got = append(got, r.Name+" "+string(r.Condition))
		}
		return fmt.Sprint(got) == fmt.Sprint(want)
	}) {
		t.Fatalf("the table of %s has %v, not %v", n.self.Name, got, want)
	}
}

func eventually(f func() bool) bool {
	return assert.Eventually(silent{}, f, patience, 5*time.Millisecond)
}

// silent leaves it to the caller to say what is wrong.
type silent struct{}

func (silent) Errorf(string, ...any) {}

// last returns the newest of what a node was told of another one.
func (n *node) last(name string) (last membership.Row) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.told {
		if r.Name == name {
			last = r
		}
	}
	return last
}

// say changes what a node says of itself.
func (n *node) say(version string) {
	n.mu.Lock()
	n.self.Version = version
	n.mu.Unlock()
	n.Update()
}
