// Package transport composes the protocol machines into mediasoup's transports. A Transport holds producers, consumers
// and what they share: the table that finds a packet's producer, RTCP, statistics. What differs between the kinds of
// transport (how packets come in and get out, what connecting means) is a backend: ICE with DTLS, plain UDP (also of
// pipes), or the application itself.
//
// A transport belongs to one shard and is called by nobody else. It has no goroutine and no clock; sockets are reached
// through the Socket interface, which never blocks. After each call from outside the owner calls Settle, which hands on
// what the call produced, and then asks NextTimeout.
package transport

import (
	"log/slog"
	"math/rand/v2"

	"gazpacho/engine/api"
	"gazpacho/engine/bwe"
	"gazpacho/engine/data"
	"gazpacho/engine/media"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/sctp"
	"gazpacho/engine/unit"
)

// Env is what a transport gets from outside.
type Env struct {
	WorkerEnv
	ShardEnv
	// Wake makes the owner call Poll soon. It may be called from any goroutine.
	Wake func()
}

// WorkerEnv is what the transports of one worker share. Its functions may be called from any shard.
type WorkerEnv struct {
	// Emit takes notifications for the application.
	Emit api.Emitter
	Log  *slog.Logger
	// DataConsumerClosed takes the id of a data consumer that its peer closed; the owner removes it from its tables later. It
	// returns at once.
	DataConsumerClosed func(id string)
	// RTCMinPort and RTCMaxPort are the worker's own port range, for applications that name neither port nor range.
	RTCMinPort, RTCMaxPort uint16
	// Compat says what the application's release expects otherwise than the newest does.
	Compat api.Compat
}

// ShardEnv is what the transports of one shard share, of whatever worker they are.
type ShardEnv struct {
	// Batch is the shard's arena for outgoing packets. It is empty between two operations.
	Batch *netio.Batch
	// Rand is the shard's source of what need not be secret: first sequence numbers, jittered intervals.
	Rand *rand.Rand
	// Listen opens a UDP socket, ListenTCP a TCP port.
	Listen    func(netio.UDPConfig) (Socket, error)
	ListenTCP func(netio.TCPConfig) (*netio.TCPServer, error)
}

// Subscriber takes what a producer forwards to the consumers of one shard. The packets belong to the caller: whoever keeps
// one retains it. Scores are the producer's current scores by encoding.
type Subscriber interface {
	Forward(now unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8)
}

// ProducerFeedback is where a consumer's requests to its producer go, whatever shard that lives on. Calls return at once; the
// producer hears of them later.
type ProducerFeedback interface {
	RequestKeyFrame(mapped unit.SSRC)
	ReportFractionLost(consumerID string, mapped unit.SSRC, fractionLost uint8)
}

// backend is what differs between kinds of transport.
type backend interface {
	// connected says whether there is somebody to send to.
	connected() bool
	// sendRTP sends the packet that c wrote to the start of b, a space of the batch; it may wait for flush.
	sendRTP(now unit.Time, c *Consumer, b []byte, o media.Outgoing)
	// flush sends what sendRTP collected.
	flush()
	// sendRTCP sends one compound packet.
	sendRTCP(now unit.Time, compound []byte)
	// sendSCTP sends one SCTP packet.
	sendSCTP(now unit.Time, packet []byte)
	// poll looks at what goroutines of libraries did.
	poll(now unit.Time)
	// timeout does what is due; nextTimeout says when that will be.
	timeout(now unit.Time)
	nextTimeout() unit.Time
	// dump and stats answer the application.
	dump() api.ResponseBody
	stats(now unit.Time) api.ResponseBody
	// close releases sockets.
	close()
}

// Transport is one transport of a router. The zero value is not usable: see NewWebRtc, NewPlain, NewPipe and NewDirect.
type Transport struct {
	id      string
	env     Env
	options api.TransportOptions
	backend backend

	producers []*Producer // in the order of their creation
	consumers []*Consumer
	listener  rtpListener
	bySSRC    map[unit.SSRC]*Consumer
	byRTXSSRC map[unit.SSRC]*Consumer
	dirty     []*Producer // with something for their subscribers
	addressed []*Consumer // that the RTCP at hand is about

	sctp          *sctp.Association // nil unless enabled
	dataProducers []*DataProducer
	dataConsumers []*DataConsumer
	dataListener  data.Listener
	dataByStream  map[uint16]*DataConsumer
	subchannelled bool // over the association, messages carry their subchannels: a pipe
	drainingSCTP  bool // drainSCTP is running

	recvIDs media.ExtensionIDs
	largest int // bytes of the largest packet given to a consumer, which may come again as a retransmission

	bweIn      *bwe.Receiver // nil until a producer negotiated it
	bweOut     *bwe.Sender   // nil until a video consumer negotiated it
	reallocate bool          // a consumer wants the bitrate distributed anew, by Settle
	giveUp     bool          // because one stopped
	wanting    []*Consumer   // empty; room for those that distribute gives bitrate to
	probation  probation

	counters counters
	drops    Drops
	bitrates bitrates
	trace    []api.TransportTraceEventType
	rtcpAt   unit.Time // when the next reports are due
	deadline unit.Time
	isClosed bool
	isBroken bool
}

func newTransport(id string, options *api.TransportOptions, env Env) (*Transport, error) {
	t := &Transport{
		id: id, env: env, options: *options,
		bySSRC: map[unit.SSRC]*Consumer{}, byRTXSSRC: map[unit.SSRC]*Consumer{}, dataByStream: map[uint16]*DataConsumer{},
		rtcpAt: unit.Never, deadline: unit.Never,
	}
	if rate := options.InitialAvailableOutgoingBitrate; rate != nil && *rate > maxBitrate {
		return nil, api.TypeErrorf("wrong initialAvailableOutgoingBitrate (must be <= %d)", maxBitrate)
	}
	if options.EnableSCTP {
		if options.Direct {
			return nil, api.TypeErrorf("cannot enable SCTP in a direct Transport")
		}
		t.sctp = newAssociation(options, env.Wake)
	}
	t.listener.init()
	t.counters = newCounters()
	return t, nil
}

// ID returns the transport's id.
func (t *Transport) ID() string { return t.id }

// Drops returns the counters of what was received or to be sent and was not passed on.
func (t *Transport) Drops() Drops { return t.drops }

// Dump answers TRANSPORT_DUMP.
func (t *Transport) Dump() api.ResponseBody { return t.backend.dump() }

// Stats answers TRANSPORT_GET_STATS.
func (t *Transport) Stats(now unit.Time) api.ResponseBody { return t.backend.stats(now) }

// Close releases all that the transport holds, without a notification.
func (t *Transport) Close() {
	if t.isClosed {
		return
	}
	t.isClosed = true
	// Deferred, for a fault on the way there must not keep the ports open: their readers would never end.
	defer t.backend.close()
	t.deadline, t.dirty = unit.Never, nil
	for _, p := range t.producers {
		p.closed = true // requests of consumers on other shards may be on their way
		if !t.isBroken {
			p.dropPending()
		}
	}
	for _, c := range t.consumers {
		c.attached = false // packets of producers on other shards may be
		if !t.isBroken {
			c.Close()
		}
	}
	t.producers, t.consumers, t.dataProducers, t.dataConsumers = nil, nil, nil, nil
	t.closeSCTP()
}

// closeSCTP tells the peer that the association is over.
func (t *Transport) closeSCTP() {
	if t.sctp == nil {
		return
	}
	t.sctp.Close()
	var out sctp.Output
	t.sctp.Poll(&out)
	for _, packet := range out.Packets {
		t.backend.sendSCTP(0, packet)
	}
}

// Break takes the transport out of service after a fault of our own: it answers nothing from the network any more, its
// sockets are closed, and requests get an error. What it held is left to the garbage collector, because a machine that
// broke an invariant cannot be trusted to release it.
func (t *Transport) Break() {
	t.env.Batch.Reset() // what is left there would go to the next one's peer
	if t.isBroken || t.isClosed {
		return
	}
	t.isBroken = true
	t.emit(t.id, api.EventTransportOutOfService, nil)
	defer t.backend.close() // as in Close
	t.deadline = unit.Never
	if t.sctp != nil {
		t.sctp.Close()
	}
}

// Broken reports whether Break was called.
func (t *Transport) Broken() bool { return t.isBroken }

// connected is called by the backend when it can send: reports start.
func (t *Transport) connected(now unit.Time) {
	for _, c := range t.consumers {
		c.TransportConnected(now)
		t.drainConsumer(c)
	}
	t.rtcpAt = now.Add(firstReportDelay)
	t.lowerDeadline(t.rtcpAt)
	t.mayConnectSCTP(now)
	if t.bweIn != nil {
		t.bweIn.TransportConnected(now)
		t.drainIncoming(now)
	}
	if t.bweOut != nil {
		t.bweOut.TransportConnected(now)
		t.drainOutgoing(now)
	}
}

// disconnected is called by the backend when it cannot send any more: reports end.
func (t *Transport) disconnected(now unit.Time) {
	for _, c := range t.consumers {
		c.TransportDisconnected(now)
		t.drainConsumer(c)
	}
	t.rtcpAt = unit.Never
	if t.bweIn != nil {
		t.bweIn.TransportDisconnected(now)
	}
	if t.bweOut != nil {
		t.bweOut.TransportDisconnected(now)
	}
}

// lowerDeadline moves the deadline forward in time, never back.
func (t *Transport) lowerDeadline(at unit.Time) { t.deadline = min(t.deadline, at) }

// NextTimeout returns when HandleTimeout wants to be called.
func (t *Transport) NextTimeout() unit.Time { return t.deadline }

// HandleTimeout runs what is due: the producers' timers and the RTCP reports.
func (t *Transport) HandleTimeout(now unit.Time) {
	if t.isClosed || t.isBroken {
		t.deadline = unit.Never
		return
	}
	if t.rtcpAt <= now {
		t.sendReports(now)
		t.rtcpAt = now.Add(t.nextReportDelay())
	}
	t.backend.timeout(now)
	deadline := min(t.rtcpAt, t.backend.nextTimeout(), t.estimationTimeout(now))
	for _, p := range t.producers {
		if p.NextTimeout() <= now {
			p.HandleTimeout(now)
			t.markDirty(p)
		}
		deadline = min(deadline, p.NextTimeout())
	}
	t.deadline = deadline
}

// Poll looks at what goroutines of libraries did; it is called after a wake-up.
func (t *Transport) Poll(now unit.Time) {
	if !t.isClosed && !t.isBroken {
		t.backend.poll(now)
		t.drainSCTP(now)
	}
}

// Settle hands on what earlier calls produced: RTCP feedback to the peer, notifications to the application, packets and
// stream updates to the subscribers of each producer, and bitrate to the consumers. A transport out of service has no say any
// more, whatever it was about to do.
func (t *Transport) Settle(now unit.Time) {
	if t.isClosed || t.isBroken {
		return
	}
	for len(t.dirty) > 0 {
		p := t.dirty[len(t.dirty)-1]
		t.dirty[len(t.dirty)-1] = nil
		t.dirty = t.dirty[:len(t.dirty)-1]
		p.dirty = false
		t.settleProducer(now, p)
	}
	if t.reallocate {
		force := t.giveUp
		t.reallocate, t.giveUp = false, false
		t.redistribute(now, force)
	}
}

// markDirty remembers that p may have output.
func (t *Transport) markDirty(p *Producer) {
	if !p.dirty {
		p.dirty = true
		t.dirty = append(t.dirty, p)
	}
}

func (t *Transport) emit(handlerID string, event api.Event, body api.NotificationBody) {
	t.env.Emit(&api.Notification{HandlerID: handlerID, Event: event, Body: body})
}
