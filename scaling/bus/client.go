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
	conn          *nats.Conn
	name          string
	subscriptions []*nats.Subscription
}

// handlers take what comes by the bus. Each is called by a goroutine of its own.
type handlers struct {
	connected func(yes bool) // the connection has come or is gone
	heartbeat func(from string, b []byte)
	message   func(from string, b []byte)
}

// connect connects with the bus, again and again. It returns at once.
func connect(o *Options, name string, h handlers) (*client, error) {
	urls, config, err := o.servers()
	if err != nil {
		return nil, err
	}
	options := []nats.Option{
		nats.Name(name), nats.DontRandomize(), nats.NoEcho(), nats.IgnoreDiscoveredServers(), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait), nats.ReconnectJitter(reconnectWait, reconnectWait), nats.ReconnectBufSize(-1), nats.Timeout(connectTime),
		nats.PingInterval(pingInterval), nats.MaxPingsOutstanding(maxPings), nats.NoCallbacksAfterClientClose(),
		nats.ConnectHandler(func(*nats.Conn) { h.connected(true) }),
		nats.ReconnectHandler(func(*nats.Conn) { h.connected(true) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			o.Log.Warn("the connection with the bus is lost", "error", err)
			h.connected(false)
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
	c := &client{conn: conn, name: name}
	if err = c.subscribe(heartbeats+"*", h.heartbeat); err == nil {
		err = c.subscribe(messages+token(name)+".*", h.message)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *client) subscribe(subject string, take func(from string, b []byte)) error {
	s, err := c.conn.Subscribe(subject, func(m *nats.Msg) { take(senderOf(m.Subject), m.Data) })
	if err != nil {
		return err
	}
	c.subscriptions = append(c.subscriptions, s)
	return s.SetPendingLimits(waitingMessages, maxPending)
}

// lost returns how many messages there was no room for.
func (c *client) lost() (count uint64) {
	for _, s := range c.subscriptions {
		n, _ := s.Dropped() // an error says that the connection is closed
		count += uint64(max(n, 0))
	}
	return count
}

// servers returns the servers to connect with, this process's own first, and how.
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
	if err := c.conn.Publish(heartbeats+token(c.name), b); err != nil {
		log.Debug("a heartbeat is lost", "error", err)
	}
}

// send publishes to one other node. It may wait for the network; without a connection, the message is lost.
func (c *client) send(to string, b []byte) error {
	return c.conn.Publish(messages+token(to)+"."+token(c.name), b)
}

// close sends what was published last, and ends the connection.
func (c *client) close() {
	_ = c.conn.FlushTimeout(flushTime) // without a bus there is nobody to tell
	c.conn.Close()
}

// flushTime is how long the last heartbeat may take, chosen here.
const flushTime = 500 * time.Millisecond
