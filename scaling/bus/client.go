package bus

import (
	"crypto/tls"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"gazpacho/scaling/identity"
)

// Chosen here.
const (
	connectTime   = 2 * time.Second
	reconnectWait = 200 * time.Millisecond
	// waitingMessages is how many messages may wait for the node.
	waitingMessages = 16 << 10
)

// client is a node's connection with the bus.
type client struct {
	conn    *nats.Conn
	subject string
}

// connect connects with the bus, again and again. It returns at once. connected is called when the connection comes and goes, take with
// what others publish; both by goroutines of the client.
func connect(o *Options, name string, connected func(bool), take func(name string, b []byte)) (*client, error) {
	urls, config, err := o.servers()
	if err != nil {
		return nil, err
	}
	options := []nats.Option{
		nats.Name(name), nats.DontRandomize(), nats.NoEcho(), nats.IgnoreDiscoveredServers(), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait), nats.ReconnectJitter(reconnectWait, reconnectWait), nats.ReconnectBufSize(-1), nats.Timeout(connectTime),
		nats.PingInterval(pingInterval), nats.MaxPingsOutstanding(maxPings), nats.NoCallbacksAfterClientClose(),
		nats.ConnectHandler(func(*nats.Conn) { connected(true) }),
		nats.ReconnectHandler(func(*nats.Conn) { connected(true) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			o.Log.Warn("the connection with the bus is lost", "error", err)
			connected(false)
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { o.Log.Debug("no connection with the bus", "error", err) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { o.Log.Warn("bus", "error", err) }),
	}
	if config != nil {
		options = append(options, nats.Secure(config))
	}
	if o.URL == "" {
		options = append(options, nats.TLSHandshakeFirst())
	}
	conn, err := nats.Connect(urls, options...)
	if err != nil {
		return nil, err
	}
	subscription, err := conn.Subscribe(subjects+"*", func(m *nats.Msg) { take(nameOf(m.Subject), m.Data) })
	if err == nil {
		err = subscription.SetPendingLimits(waitingMessages, maxPending)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &client{conn, subjectOf(name)}, nil
}

// servers returns the servers to connect with, the own one first, and how.
func (o *Options) servers() (urls string, config *tls.Config, err error) {
	if o.URL != "" {
		return o.foreign()
	}
	var list []string
	if o.Serve != "" {
		list = append(list, "tls://"+o.Serve)
	}
	for _, address := range o.Join {
		if address != o.Serve {
			list = append(list, "tls://"+address)
		}
	}
	return strings.Join(list, ","), o.Credentials.Client(identity.Node), nil
}

// foreign is servers for an operator's own NATS.
func (o *Options) foreign() (urls string, config *tls.Config, err error) {
	for part := range strings.SplitSeq(o.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(part))
		if err != nil {
			return "", nil, err
		}
		if u.Scheme == "tls" && o.Credentials != nil {
			config = o.Credentials.ClientOf(u.Hostname())
		}
	}
	return o.URL, config, nil
}

// publish publishes to all others. What cannot leave at once is lost.
func (c *client) publish(b []byte, log *slog.Logger) {
	if err := c.conn.Publish(c.subject, b); err != nil {
		log.Debug("a heartbeat is lost", "error", err)
	}
}

// close sends what was published last, and ends the connection.
func (c *client) close() {
	_ = c.conn.FlushTimeout(flushTime) // without a bus there is nobody to tell
	c.conn.Close()
}

// flushTime is how long the last heartbeat may take, chosen here.
const flushTime = 500 * time.Millisecond
