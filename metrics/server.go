package metrics

import (
	"net"
	"net/http"
	"net/netip"
	"time"

	"gazpacho/internal/crowd"
)

// Chosen here: what those who ask may occupy.
const (
	maxConnections = 32
	maxHeaderBytes = 8 << 10
	readTime       = 5 * time.Second  // for a request
	writeTime      = 10 * time.Second // for all of an answer, however slowly it is read
	profileTime    = 2 * time.Minute  // likewise, of profiles, which take as long as they are asked for
	idleTime       = 2 * time.Minute
)

// Server answers on one listener until it is closed.
type Server struct {
	listener net.Listener
	server   *http.Server
}

// serve answers requests at an address by handler, each within a time.
func serve(a Address, handler http.Handler, within time.Duration) (*Server, error) {
	l, err := a.listen()
	if err != nil {
		return nil, err
	}
	if a.host.IsLoopback() {
		handler = LocalOnly(handler)
	}
	s := &Server{listener: l, server: &http.Server{
		Handler: handler, ReadTimeout: readTime, WriteTimeout: within, IdleTimeout: idleTime, MaxHeaderBytes: maxHeaderBytes,
	}}
	go s.server.Serve(FewConnections(l, maxConnections))
	return s, nil
}

// Where returns where the server listens, as a URL without a path, or the name of its socket.
func (s *Server) Where() string {
	if s.listener.Addr().Network() == "unix" {
		return "unix:" + s.listener.Addr().String()
	}
	return "http://" + s.listener.Addr().String()
}

// Close ends the server and its connections. It may be called on nil.
func (s *Server) Close() {
	if s != nil {
		s.listener.Close() // which the server does not know yet if it has just been started
		s.server.Close()
	}
}

// LocalOnly refuses requests that name another host than this one: a page in a browser of this host that has its own name lead here
// (DNS rebinding) must not read what only this host may.
func LocalOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if _, err := netip.ParseAddr(host); err != nil && host != "localhost" {
			http.Error(w, "ask by IP address or as localhost", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// FewConnections returns a listener that has at most n connections at a time: a further one takes the place of an older one (package crowd).
func FewConnections(l net.Listener, n int) net.Listener {
	return &fewConnections{Listener: l, crowd: crowd.New(n)}
}

// fewConnections closes connections for which there is no place any more.
type fewConnections struct {
	net.Listener
	crowd *crowd.Crowd
}

// Accept implements net.Listener.
func (l *fewConnections) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.crowd.Enter(c)
	return &placed{Conn: c, crowd: l.crowd}, nil
}

// placed is a connection that has a place.
type placed struct {
	net.Conn
	crowd *crowd.Crowd
}

// Close implements net.Conn.
func (c *placed) Close() error {
	c.crowd.Leave(c.Conn)
	return c.Conn.Close()
}
