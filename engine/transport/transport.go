// Package transport composes the protocol machines into mediasoup's transports. A Transport holds producers, consumers
// and what they share: the table that finds a packet's producer, RTCP, statistics. What differs between the kinds of
// transport (how packets come in and get out, what connecting means) is a backend: ICE with DTLS, plain UDP (also of
// pipes), or the application itself.
//
// A transport belongs to one shard: only package runner calls it, with that shard's turn held. It has no goroutine and no
// clock; it reaches sockets through the Socket interface, which never blocks. After each call the owner calls Settle, which
// passes on what the call produced, and then NextTimeout.
//
// A datagram enters by HandleDatagrams of WebRtc or Plain, which decrypts it, finds its producer and calls package media. Settle
// gives the producer's packets to its subscribers, which call HandleStreamUpdates and Forward of each consumer, perhaps in
// another transport on another shard. A consumer's packets are collected in the shard's Batch and sent before Forward returns.
package transport

import (
	"log/slog"
	"math/rand/v2"

	"gazpacho/engine/api"
	"gazpacho/engine/bwe"
	"gazpacho/engine/data"
	"gazpacho/engine/look"
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
	// Owner is the worker's application, as operators are to see it.
	Owner look.Owner
}

// ShardEnv is what the transports of one shard share, of whatever worker they are.
type ShardEnv struct {
	// Batch is the shard's arena for outgoing packets. It is empty between two operations.
	Batch *netio.Batch
	// Rand is the shard's source of what need not be secret: first sequence numbers, jittered intervals.
	Rand *rand.Rand
	// Figures is what the shard's transports count for the operator.
	Figures *Figures
	// Listen opens a UDP socket, ListenTCP a TCP port.
	Listen    func(netio.UDPConfig) (Socket, error)
	ListenTCP func(netio.TCPConfig) (*netio.TCPServer, error)
}

// Subscriber takes what a producer forwards to the consumers of one shard. The packets belong to the caller: retain one to keep
// it. Scores are the producer's current scores by encoding.
type Subscriber interface {
	Forward(now unit.Time, pkts []*packet.Packet, updates []media.StreamUpdate, scores []uint8)
}

// ProducerFeedback takes a consumer's requests to its producer, which may be on another shard. Calls return at once; the producer
// gets them later.
type ProducerFeedback interface {
	RequestKeyFrame(mapped unit.SSRC)
	ReportFractionLost(consumerID string, mapped unit.SSRC, fractionLost uint8)
}

// backend is what differs between kinds of transport.
type backend interface {
	// connected reports whether the peer's address, and its keys if there are any, are known.
	connected() bool
	// secured reports whether media is sent as SRTP.
	secured() bool
	// sendRTP sends the packet that c wrote to the start of b, a space of the batch; it may wait for flush.
	sendRTP(now unit.Time, c *Consumer, b []byte, o media.Outgoing)
	// flush sends what sendRTP collected.
	flush()
	// sendRTCP sends one compound packet.
	sendRTCP(now unit.Time, compound []byte)
	// sendSCTP sends one SCTP packet.
	sendSCTP(now unit.Time, packet []byte)
	// poll takes the output of the goroutines inside DTLS.
	poll(now unit.Time)
	// timeout does what is due; nextTimeout returns when something will be.
	timeout(now unit.Time)
	nextTimeout() unit.Time
	// dump and stats answer the application.
	dump() api.ResponseBody
	stats(now unit.Time) api.ResponseBody
	// emitBroken notifies the application that the transport is out of service, in the words of its kind.
	emitBroken()
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
	// spentSSRCs are those of closed consumers, if media is encrypted. SRTP keeps a counter for each of them anyway.
	spentSSRCs map[unit.SSRC]bool
	dirty      []*Producer // that may have output for Settle
	addressed  []*Consumer // that the RTCP datagram being handled is about

	sctp          *sctp.Association // nil unless enabled
	dataProducers []*DataProducer
	dataConsumers []*DataConsumer
	dataListener  data.Listener
	dataByStream  map[uint16]*DataConsumer
	dataPipe      data.Pipe // how data channel messages travel over the association
	sctpOutput    sctp.Output
	drainingSCTP  bool // drainSCTP is running

	recvIDs media.ExtensionIDs
	largest int // bytes of the largest packet given to a consumer, which may come again as a retransmission

	bweIn       *bwe.Receiver  // nil until a producer negotiated it
	bweOut      *bwe.Sender    // nil until a video consumer negotiated it
	repairRate  unit.Bitrate   // of retransmissions, on average over the last distributions
	congestion  bwe.Congestion // how congested the consumers believe the path to be
	reallocate  bool           // Settle is to distribute the bitrate anew
	giveUp      bool           // because a consumer needs none any more
	wanting     []*Consumer    // empty; room for those that distribute gives bitrate to
	distributed unit.Bitrate   // what was distributed last
	layerDrops  layerDrops
	probation   probation
	resending   resendBudget
	pacer       pacer
	asking      nackBudget
	news        news

	counters  counters
	drops     Drops
	collected *Counts // what collectCounts has seen; nil before its first call
	bitrates  bitrates
	trace     []api.TransportTraceEventType
	rtcpAt    unit.Time // when the next reports are due
	deadline  unit.Time
	isClosed  bool
	isBroken  bool
}

func newTransport(id string, options *api.TransportOptions, overDTLS bool, env Env) (*Transport, error) {
	t := &Transport{
		id: id, env: env, options: *options,
		bySSRC: map[unit.SSRC]*Consumer{}, byRTXSSRC: map[unit.SSRC]*Consumer{}, dataByStream: map[uint16]*DataConsumer{},
		spentSSRCs: map[unit.SSRC]bool{},
		rtcpAt:     unit.Never, deadline: unit.Never,
	}
	if rate := options.InitialAvailableOutgoingBitrate; rate != nil && *rate > maxBitrate {
		return nil, api.TypeErrorf("wrong initialAvailableOutgoingBitrate (must be <= %d)", maxBitrate)
	}
	if options.EnableSCTP {
		if options.Direct {
			return nil, api.TypeErrorf("cannot enable SCTP in a direct Transport")
		}
		t.sctp = newAssociation(options, overDTLS)
	}
	t.listener.init()
	t.counters = newCounters()
	return t, nil
}

// Internal reports whether the transport carries a relay between two workers of one application.
func (t *Transport) Internal() bool { return t.options.Internal }

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
	// Deferred, so that a panic below still closes the ports.
	defer t.backend.close()
	t.deadline, t.dirty = unit.Never, nil
	if !t.isBroken {
		t.collectAll()
	}
	for _, p := range t.producers {
		p.closed = true // requests of consumers on other shards may still arrive
		if !t.isBroken {
			p.dropPending()
		}
	}
	for _, c := range t.consumers {
		c.attached = false // and packets of producers on other shards
		if !t.isBroken {
			t.pacer.forget(c)
			c.Close()
		}
	}
	t.producers, t.consumers, t.dataProducers, t.dataConsumers = nil, nil, nil, nil
	t.closeSCTP()
}

// closeSCTP sends ABORT to the peer.
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

// Break takes the transport out of service after a panic: it ignores the network, its sockets are closed, and requests get an
// error. What it held is left to the garbage collector: a machine that broke an invariant cannot be trusted to release it.
//
// The application hears what it would hear if the peer were gone: that ICE is disconnected and DTLS failed, that SCTP failed.
// mediasoup has no such word for a plain, pipe or direct transport without SCTP. Its producers and consumers live on until the
// application closes it, so they are not said to be closed.
func (t *Transport) Break() {
	t.env.Batch.Reset() // packets left there would go to the peer of the next sender
	if t.isBroken || t.isClosed {
		return
	}
	t.isBroken = true
	t.emit(t.id, api.EventTransportOutOfService, nil)
	defer t.backend.close() // as in Close
	t.deadline = unit.Never
	t.backend.emitBroken()
	if t.sctp != nil {
		if state := t.sctp.State(); state != api.SCTPStateFailed && state != api.SCTPStateClosed {
			t.changeSCTPState(api.SCTPStateFailed, nil)
		}
		t.sctp.Close()
	}
}

// Broken reports whether Break was called.
func (t *Transport) Broken() bool { return t.isBroken }

// connected is called by the backend when it can send. Reports start.
func (t *Transport) connected(now unit.Time) {
	for _, c := range t.consumers {
		c.TransportConnected(now)
		t.drainConsumer(now, c)
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

// disconnected is called by the backend when it can no longer send. Reports end.
func (t *Transport) disconnected(now unit.Time) {
	for _, c := range t.consumers {
		t.pacer.forget(c)
		c.TransportDisconnected(now)
		t.drainConsumer(now, c)
	}
	t.rtcpAt = unit.Never
	if t.bweIn != nil {
		t.bweIn.TransportDisconnected(now)
	}
	if t.bweOut != nil {
		t.bweOut.TransportDisconnected(now)
	}
}

// lowerDeadline makes the deadline at, if that is earlier.
func (t *Transport) lowerDeadline(at unit.Time) { t.deadline = min(t.deadline, at) }

// NextTimeout returns when to call HandleTimeout.
func (t *Transport) NextTimeout() unit.Time { return t.deadline }

// HandleTimeout runs what is due: the timers of producers and SCTP, and the RTCP reports.
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
	t.timeoutSCTP(now)
	t.news.release(now, t)
	deadline := min(t.rtcpAt, t.backend.nextTimeout(), t.nextSCTPTimeout(), t.estimationTimeout(now), t.news.nextTimeout(), t.paceTimeout(now))
	for _, p := range t.producers {
		if p.NextTimeout() <= now {
			p.HandleTimeout(now)
			t.markDirty(p)
		}
		deadline = min(deadline, p.NextTimeout())
	}
	t.deadline = deadline
}

// Poll takes the output of the goroutines inside DTLS. The owner calls it after Env.Wake.
func (t *Transport) Poll(now unit.Time) {
	if !t.isClosed && !t.isBroken {
		t.backend.poll(now)
	}
}

// Settle passes on what earlier calls produced: RTCP feedback to the peer, notifications to the application, packets and stream
// updates to the subscribers of each producer, and bitrate to the consumers. It does nothing once the transport is closed or
// broken.
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

// markDirty makes Settle look at p's output.
func (t *Transport) markDirty(p *Producer) {
	if !p.dirty {
		p.dirty = true
		t.dirty = append(t.dirty, p)
	}
}

func (t *Transport) emit(handlerID string, event api.Event, body api.NotificationBody) {
	t.env.Emit(&api.Notification{HandlerID: handlerID, Event: event, Body: body})
}
