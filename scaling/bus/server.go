package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
)

// DefaultPort is the port of the servers for nodes. That for other servers is the next one.
const DefaultPort = 7001

// MaxMessage is the longest message in bytes, chosen here.
const MaxMessage = 64 << 10

// Chosen here. The defaults are made for messages that must not be lost, and for the Internet: a client that hangs would be kept for two
// minutes, with up to 64 MB waiting for it.
const (
	pingInterval = 500 * time.Millisecond
	maxPings     = 2 // unanswered ones, after which the other side counts as gone
	maxPending   = 8 << 20
	writeTime    = 2 * time.Second
	shakeTime    = 3 * time.Second
	maxClients   = 16 << 10
	// resolveInterval is the time between two look-ups of the names of other servers.
	resolveInterval = 2 * time.Second
	// keepAddress is how long an address is tried that a name does not stand for any more.
	keepAddress = 10 * time.Minute
	startTime   = 5 * time.Second
)

// busServer is the server in the process of a node.
type busServer struct {
	*server.Server
	options *server.Options
	log     *slog.Logger
	cancel  context.CancelFunc
	ended   chan struct{} // the goroutine that looks names up has ended
}

// serve starts a server on an address, which is connected with those at the others.
func serve(o *Options, self *membership.Node) (*busServer, error) {
	host, port, err := hostPort(o.Serve)
	if err != nil {
		return nil, err
	}
	nodes := o.Credentials.Peers(identity.Node)
	s := &busServer{log: o.Log, ended: make(chan struct{}), options: &server.Options{
		ServerName: self.Incarnation, // names have to differ, even where those of nodes do not by mistake
		Host:       host, Port: port, TLSConfig: nodes, TLSHandshakeFirst: true, TLSTimeout: shakeTime.Seconds(),
		AuthTimeout: shakeTime.Seconds(), CustomClientAuthentication: permissions{},
		PingInterval: pingInterval, MaxPingsOut: maxPings, MaxPending: maxPending, MaxPayload: MaxMessage, WriteDeadline: writeTime,
		MaxConn: maxClients, NoSigs: true, NoSystemAccount: true, DisableShortFirstPing: true,
		Cluster: server.ClusterOpts{
			Name: "gazpacho", Host: host, Port: port + 1, TLSConfig: nodes, TLSTimeout: shakeTime.Seconds(),
			NoAdvertise: true, PoolSize: -1, PingInterval: pingInterval, MaxPingsOut: maxPings, WriteDeadline: writeTime,
			Compression: server.CompressionOpts{Mode: server.CompressionOff},
		},
	}}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	known := &addresses{tried: map[string]time.Time{}, loopback: isLoopback(host)}
	known.resolve(ctx, o.Join)
	s.options.Routes = known.routes()
	if s.Server, err = server.NewServer(s.options.Clone()); err != nil {
		cancel()
		return nil, err
	}
	s.SetLoggerV2(newLogger(o.Log), false, false, false)
	// The server itself would log it, and wait.
	if err := canListen(o.Serve, net.JoinHostPort(host, strconv.Itoa(port+1))); err != nil {
		cancel()
		return nil, err
	}
	s.Start()
	go s.watch(ctx, known, o.Join)
	if !s.ReadyForConnections(startTime) {
		s.close()
		return nil, errors.New("the bus server does not start")
	}
	return s, nil
}

// canListen says whether addresses can be listened on.
func canListen(addresses ...string) error {
	for _, address := range addresses {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		l.Close()
	}
	return nil
}

func (s *busServer) close() {
	s.cancel()
	<-s.ended
	s.Shutdown()
	s.WaitForShutdown()
}

// watch has the server connect to all addresses of the names of others, which change.
func (s *busServer) watch(ctx context.Context, known *addresses, names []string) {
	defer close(s.ended)
	ticker := time.NewTicker(resolveInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if !known.resolve(ctx, names) {
			continue
		}
		next := s.options.Clone()
		next.Routes = known.routes()
		if err := s.ReloadOptions(next); err != nil {
			s.log.Error("the bus server cannot take up new addresses", "error", err)
		}
	}
}

// isLoopback reports whether a host is this one, by an address that no other host can reach.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// addresses are those of the other servers.
type addresses struct {
	tried map[string]time.Time // with the time when a name last stood for it
	// loopback says that servers are on this host. If not, it is this server that has such an address: as Debian has it, a host's name
	// means 127.0.1.1 there.
	loopback bool
}

// resolve looks names up, and says whether there are other addresses than before. A name that cannot be looked up keeps those it had.
func (a *addresses) resolve(ctx context.Context, names []string) (changed bool) {
	now := time.Now()
	for _, name := range names {
		host, port, _ := hostPort(name) // checked by Join
		ctx, cancel := context.WithTimeout(ctx, resolveInterval)
		ips, err := net.DefaultResolver.LookupHost(ctx, host)
		cancel()
		if err != nil {
			continue
		}
		for _, ip := range ips {
			if isLoopback(ip) != a.loopback {
				continue
			}
			address := net.JoinHostPort(ip, strconv.Itoa(port+1))
			changed = changed || a.tried[address].IsZero()
			a.tried[address] = now
		}
	}
	for address, at := range a.tried {
		if now.Sub(at) > keepAddress {
			delete(a.tried, address)
			changed = true
		}
	}
	return changed
}

func (a *addresses) routes() (routes []*url.URL) {
	for address := range a.tried {
		routes = append(routes, &url.URL{Scheme: "nats-route", Host: address})
	}
	slices.SortFunc(routes, func(x, y *url.URL) int { return strings.Compare(x.Host, y.Host) })
	return routes
}

// hostPort takes "host:port" apart.
func hostPort(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	if err != nil || host == "" || port < 1 || port > 65534 {
		return "", 0, fmt.Errorf("%q is no host:port, where the next port is a server's, too", address)
	}
	return host, port, nil
}
