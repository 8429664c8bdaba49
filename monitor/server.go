package monitor

import (
	"bytes"
	"context"
	"crypto/tls"
	"embed"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"gazpacho/engine/look"
	"gazpacho/metrics"
)

//go:embed page
var pageFiles embed.FS

// folder is where they are.
const folder = "page"

// Chosen here: what those who ask may occupy.
const (
	maxConnections = 256
	maxHeaderBytes = 8 << 10
	headerTime     = 5 * time.Second
	writeTime      = 10 * time.Second // for all of an answer, or one event
	idleTime       = 2 * time.Minute
	heartbeat      = 15 * time.Second // between events, so that dead connections are noticed
)

// Options says how the page is served.
type Options struct {
	Watch *Watch
	// Token is what visitors must know; empty: whoever reaches the page may read.
	Token string
	// TLS makes the server speak HTTPS; nil: HTTP.
	TLS *tls.Config
}

// Server serves the page.
type Server struct {
	options  Options
	gate     *gate
	feeds    feeds
	listener net.Listener
	http     *http.Server
}

// Serve serves the page on a listener until the server is closed.
func Serve(l net.Listener, o Options) *Server {
	s := &Server{options: o, gate: newGate(o.Token, o.TLS != nil), feeds: feeds{open: map[string]*feed{}}, listener: l}
	handler := s.handler()
	if at, ok := l.Addr().(*net.TCPAddr); ok && at.IP.IsLoopback() {
		handler = metrics.LocalOnly(handler)
	}
	s.http = &http.Server{
		Handler: guarded(handler), ReadHeaderTimeout: headerTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHeaderBytes,
	}
	l = metrics.FewConnections(l, maxConnections)
	if o.TLS != nil {
		l = tls.NewListener(l, o.TLS)
	}
	go s.http.Serve(l)
	return s
}

// Where returns the page's address.
func (s *Server) Where() string {
	scheme := "http://"
	if s.options.TLS != nil {
		scheme = "https://"
	}
	return scheme + s.listener.Addr().String() + "/"
}

// Close ends the server and its connections.
func (s *Server) Close() {
	s.listener.Close() // which the server does not know yet if it has just been started
	s.http.Close()
}

// handler serves the page to everybody, as it holds no secret, and what it shows to those who may look.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	files, err := fs.ReadDir(pageFiles, folder)
	if err != nil {
		panic("monitor: " + err.Error()) // it is embedded
	}
	for _, file := range files {
		mux.Handle("GET /"+file.Name(), pageFile(file.Name()))
	}
	mux.Handle("GET /{$}", pageFile("index.html"))
	mux.HandleFunc("POST /login", s.gate.login)
	mux.HandleFunc("POST /logout", s.gate.logout)
	for name, parse := range map[string]func(url.Values) (view, error){
		"overview": s.overview, "node": s.node, "rooms": s.rooms, "room": s.room, "transport": s.transport,
	} {
		mux.Handle("GET /api/"+name, s.gate.mayLook(once(parse)))
		mux.Handle("GET /live/"+name, s.gate.mayLook(s.live(name, parse)))
	}
	return mux
}

// types are those of the page's files: a system's own table may have others, which browsers refuse.
var types = map[string]string{".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// pageFile serves a file of the page.
func pageFile(name string) http.HandlerFunc {
	b, err := pageFiles.ReadFile(folder + "/" + name)
	if err != nil {
		panic("monitor: " + err.Error()) // it is embedded
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", types[path.Ext(name)])
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(b))
	}
}

// policy lets the page load what this server has, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guarded sets what browsers have to know, and refuses what other sites' pages ask for.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" && r.URL.Path != "/" {
			http.Error(w, "other sites may not ask", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// once answers with a view as it is now.
func once(parse func(url.Values) (view, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		produce, err := parse(r.URL.Query())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b, err := encode(r.Context(), produce)
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			w.WriteHeader(http.StatusNotFound)
		}
		w.Write(b)
	})
}

// live sends a view whenever it changes, as server-sent events.
func (s *Server) live(name string, parse func(url.Values) (view, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		produce, err := parse(query)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		it, done, err := s.feeds.read(name+"?"+query.Encode(), produce)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		defer done()
		w.Header().Set("Content-Type", "text/event-stream")
		stream(r.Context(), w, it)
	})
}

// stream sends what a feed has until the reader is gone.
func stream(ctx context.Context, w http.ResponseWriter, it *feed) {
	control := http.NewResponseController(w)
	send := func(parts ...[]byte) bool {
		control.SetWriteDeadline(time.Now().Add(writeTime))
		for _, part := range parts {
			if _, err := w.Write(part); err != nil {
				return false
			}
		}
		return control.Flush() == nil
	}
	for {
		message, changed := it.newest()
		if message != nil && !send([]byte("data: "), message, []byte("\n\n")) {
			return
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return
			case <-changed:
				waiting = false
			case <-time.After(heartbeat):
				if !send([]byte(":\n\n")) {
					return
				}
			}
		}
	}
}

func (s *Server) overview(url.Values) (view, error) {
	return func(ctx context.Context) (any, error) {
		w := s.options.Watch
		nodes := w.look()
		rooms, _, _ := w.list(ctx)
		w.mu.Lock()
		defer w.mu.Unlock()
		return overview(time.Now(), nodes, rooms, w.trends), nil
	}, nil
}

func (s *Server) node(q url.Values) (view, error) {
	name := q.Get("node")
	return func(context.Context) (any, error) {
		w := s.options.Watch
		it, err := w.node(name)
		if err != nil {
			return nil, err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		return nodeView(&it, w.trends), nil
	}, nil
}

// maxSearch is the longest text to search for, in bytes.
const maxSearch = 200

func (s *Server) rooms(q url.Values) (view, error) {
	search := Search{Text: q.Get("text"), Sort: q.Get("sort"), Up: q.Get("order") == "up", Limit: 50}
	if len(search.Text) > maxSearch {
		return nil, errors.New("the text to search for is too long")
	}
	for name, number := range map[string]*int{"offset": &search.Offset, "limit": &search.Limit} {
		if text := q.Get(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				return nil, errors.New(name + " is no number")
			}
			*number = n
		}
	}
	if search.Sort != "" && columns[search.Sort] == nil {
		return nil, errors.New("rooms cannot be sorted by that")
	}
	return func(ctx context.Context) (any, error) {
		rows, _, at := s.options.Watch.list(ctx)
		return find(rows, search, at), nil
	}, nil
}

func roomOf(q url.Values) (look.RoomID, error) {
	id := look.RoomID{Owner: look.Owner{Application: q.Get("application"), Tenant: q.Get("tenant")}, Router: q.Get("router")}
	question := look.Question{About: look.AboutTransport, RoomID: id, Transport: q.Get("transport")}
	if _, err := question.Append(); err != nil {
		return id, err
	}
	if id.Router == "" {
		return id, errors.New("name a Router")
	}
	return id, nil
}

func (s *Server) room(q url.Values) (view, error) {
	id, err := roomOf(q)
	return func(ctx context.Context) (any, error) { return s.options.Watch.room(ctx, id) }, err
}

func (s *Server) transport(q url.Values) (view, error) {
	id, err := roomOf(q)
	node, transport := q.Get("node"), q.Get("transport")
	if err == nil && (node == "" || transport == "") {
		err = errors.New("name a node and a transport")
	}
	return func(ctx context.Context) (any, error) {
		return s.options.Watch.transport(ctx, node, look.TransportID{RoomID: id, Transport: transport})
	}, err
}

// IsLocal reports whether only this host reaches an address.
func IsLocal(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
