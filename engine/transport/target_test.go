package transport_test

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/data"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/sctp"
	"gazpacho/engine/srtp"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// target is a transport under attack by a peer that has all the keys. It forwards the peer's stream 10 and data channel 1 back to
// it as 20 and 2, and an honest sender's video as 40. Its ledger checks each packet that it sends.
type target struct {
	*fixture
	t      *transport.Transport
	ledger *enginetest.Ledger
	// What the peer sends in clear, sealed as the transport wants it.
	rtp, rtcp, sctp func(clear []byte)
	settle          func() // gives toPeer what SCTP sent

	data     *transport.DataConsumer // of the channel 2
	peer     *sctp.Association       // the peer's end of data channels
	received [][]byte                // what it has yet to take
	tag, tsn uint32                  // that its packets have; its next number

	source *transport.Plain
	seq    unit.SeqNo // of the honest sender
}

// maxDatagramLen is what one datagram of UDP or one frame over TCP carries.
const maxDatagramLen = 65507

// targets are all kinds of transport that a peer of the network can attack.
var targets = []struct {
	name string
	new  func(*testing.T) *target
}{
	{"webrtc over UDP", func(t *testing.T) *target { return newWebRtcTarget(t, api.ProtocolUDP) }},
	{"webrtc over TCP", func(t *testing.T) *target { return newWebRtcTarget(t, api.ProtocolTCP) }},
	{"comedia", newComediaTarget},
	{"plain with SRTP", newSecurePlainTarget},
	{"pipe", func(t *testing.T) *target { return newPipeTarget(t, false) }},
	{"pipe with SRTP", func(t *testing.T) *target { return newPipeTarget(t, true) }},
}

func withData(o *api.TransportOptions, overDTLS bool) {
	o.EnableSCTP, o.IsDataChannel, o.MaxSendMessageSize, o.MaxReceiveMessageSize = true, overDTLS, 1<<16, 1<<16
}

func newWebRtcTarget(t *testing.T, protocol api.Protocol) *target {
	return establishedBy(t, protocol, func(o *api.WebRtcTransportOptions) { withData(o.Base, true) }).target()
}

// target returns the browser's transport as a target.
func (b *browser) target() *target {
	k := &target{fixture: b.fixture, t: b.w.Transport, settle: b.pump}
	k.rtp = func(clear []byte) { k.sealRTP(b.sender, clear, b.deliver) }
	k.rtcp = func(clear []byte) { k.sealRTCP(b.sender, clear, b.deliver) }
	k.sctp = func(clear []byte) {
		if b.dtls.Write(clear) == nil {
			b.pump()
		}
	}
	b.onSCTP = k.toPeer
	k.open(true)
	return k
}

func newComediaTarget(t *testing.T) *target {
	r := newFixture(t)
	p := r.plain(func(o *api.PlainTransportOptions) { o.RTCPMux, o.Comedia = true, true; withData(o.Base, false) })
	return r.plainTarget(p, nil)
}

func newSecurePlainTarget(t *testing.T) *target {
	r := newFixture(t)
	suite := api.SRTPCryptoSuiteAEADAES128GCM
	s := r.secureWith(suite, suite, srtp.AEADAES128GCM, func(o *api.PlainTransportOptions) { withData(o.Base, false) })
	return r.plainTarget(s.Plain, s.sender)
}

func newPipeTarget(t *testing.T, secured bool) *target {
	r := newFixture(t)
	p := r.pipeWith(secured, func(o *api.TransportOptions) { withData(o, false) })
	var sender *srtp.Sender
	if secured {
		params := p.Dump().(*api.PipeTransportDumpResponse).SRTPParameters // both directions have the same key
		key, err := base64.StdEncoding.DecodeString(params.KeyBase64)
		require.NoError(t, err)
		sender, err = srtp.NewSender(srtp.AEADAES256GCM, key)
		require.NoError(t, err)
	}
	return r.plainTarget(p.Plain, sender)
}

// plainTarget is a target without DTLS.
func (r *fixture) plainTarget(p *transport.Plain, sender *srtp.Sender) *target {
	k := &target{fixture: r, t: p.Transport}
	k.rtp = func(clear []byte) { k.sealRTP(sender, clear, func(b []byte) { r.receive(p, 0, peerAddr, b) }) }
	k.rtcp = func(clear []byte) { k.sealRTCP(sender, clear, func(b []byte) { r.receive(p, 0, peerAddr, b) }) }
	k.sctp = func(clear []byte) { r.receive(p, 0, peerAddr, clear) }
	socket := p.Sockets()[0].(*enginetest.Socket)
	k.settle = func() {
		for _, b := range socket.Take() {
			if binary.BigEndian.Uint32(b) == sctpPorts {
				k.toPeer(b)
			}
		}
	}
	k.open(false)
	return k
}

// sealRTP and sealRTCP send what SRTP can carry. Without a sender, media is in clear.
func (k *target) sealRTP(sender *srtp.Sender, clear []byte, send func([]byte)) {
	if sender == nil {
		send(clear)
		return
	}
	space := append(append(make([]byte, 0, len(clear)+64), clear...), make([]byte, 64)...)
	if n, err := sender.ProtectRTP(space, len(clear), headerLen(clear)); err == nil && n <= maxDatagramLen {
		send(space[:n])
	}
}

// headerLen returns the length of an RTP header with its CSRCs and extensions (RFC 3550 section 5.1).
func headerLen(b []byte) int {
	n := 12
	if len(b) >= n {
		n += 4 * int(b[0]&0x0f)
	}
	if len(b) >= n+4 && b[0]&0x10 != 0 {
		n += 4 + 4*int(binary.BigEndian.Uint16(b[n+2:]))
	}
	return min(n, len(b))
}

func (k *target) sealRTCP(sender *srtp.Sender, clear []byte, send func([]byte)) {
	if sender == nil {
		send(clear)
		return
	}
	if sealed, err := sender.ProtectRTCP(nil, clear); err == nil && len(sealed) <= maxDatagramLen {
		send(sealed)
	}
}

// open has the target forward media and data, and both ends of data channels connect.
func (k *target) open(overDTLS bool) {
	k.ledger = k.ledgers[k.t]
	k.notifications.OnEmit(func(*api.Notification) { k.ledger.Notifications++ })
	k.forwarding(k.t)
	k.source = k.connected()
	p := k.produce(k.source.Transport, "source", enginetest.Video(30))
	c := k.consume(k.t, p, "c2", 40, &feedbackRecorder{})
	k.attach(k.t, p, c)
	p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})

	produced := &api.TransportProduceDataRequest{
		DataProducerID: "d", Type: api.DataProducerTypeSCTP, SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 1, Ordered: new(true)},
	}
	d, err := k.t.ProduceData(k.now, produced)
	require.NoError(k.fixture.t, err)
	e, err := k.t.ConsumeData(k.now, &api.TransportConsumeDataRequest{
		DataConsumerID: "e", DataProducerID: "d", Type: api.DataConsumerTypeSCTP,
		SCTPStreamParameters: &api.SCTPStreamParameters{StreamID: 2, Ordered: new(true)},
	})
	require.NoError(k.fixture.t, err)
	d.AddSubscriber(dataForwarder{e})
	k.data = e
	k.connectData(overDTLS)
}

type dataForwarder struct{ consumer *transport.DataConsumer }

func (f dataForwarder) ForwardData(now unit.Time, m *data.Message) { f.consumer.HandleMessage(now, m) }

// sctpPorts are those of both ends, as an SCTP packet begins.
const sctpPorts = 5000<<16 | 5000

func (k *target) toPeer(packet []byte) {
	if len(packet) >= 12 {
		k.received = append(k.received, append([]byte(nil), packet...))
	}
}

// connectData has both ends of data channels connect.
func (k *target) connectData(overDTLS bool) {
	k.peer = sctp.New(sctp.Config{IsDataChannel: true, MTU: 1191, OverDTLS: overDTLS})
	k.peer.MayConnect(k.now)
	k.converse()
	require.Equal(k.fixture.t, api.SCTPStateConnected, k.peer.State())
}

// converse lets the peer's end of data channels answer until there is nothing more to say.
func (k *target) converse() {
	for range maxSteps {
		k.settle()
		for _, packet := range k.received {
			k.peer.HandlePacket(k.now, packet)
		}
		k.received = nil
		var out sctp.Output
		k.peer.Poll(&out)
		if len(out.Packets) == 0 {
			return
		}
		for _, packet := range out.Packets {
			k.tag = binary.BigEndian.Uint32(packet[4:])
			if packet[12] == 1 { // INIT
				k.tsn = binary.BigEndian.Uint32(packet[28:])
			}
			k.sctp(packet)
		}
	}
}

// sendChunks sends chunks in a packet of the peer's association.
func (k *target) sendChunks(chunks []byte) {
	packet := binary.BigEndian.AppendUint32(nil, sctpPorts)
	packet = binary.BigEndian.AppendUint32(packet, k.tag)
	packet = append(append(packet, 0, 0, 0, 0), chunks...)
	binary.LittleEndian.PutUint32(packet[8:], crc32.Checksum(packet, crc32.MakeTable(crc32.Castagnoli)))
	k.sctp(packet)
}

// pass lets time go by, in which the honest sender sends a packet each 20 ms.
func (k *target) pass(d time.Duration) {
	end := k.now.Add(d)
	for {
		k.settle()
		require.Zero(k.fixture.t, k.env.Batch.Len(), "nothing waits in the batch between calls")
		require.False(k.fixture.t, k.t.Broken())
		next := k.t.NextTimeout()
		if next > end {
			break
		}
		k.now = max(k.now, next)
		k.ledger.Deadlines++
		k.t.HandleTimeout(k.now)
		k.t.Settle(k.now)
	}
	for range d / (20 * time.Millisecond) {
		k.media(1)
	}
	k.now = end
}

// media has the honest sender send packets, which only the target's peer receives.
func (k *target) media(n int) {
	for range n {
		k.receive(k.source, 0, peerAddr, append(enginetest.KeyFrame(30, k.seq), make([]byte, 1000)...))
		k.seq++
	}
}

// finish closes the books.
func (k *target) finish() {
	k.pass(2 * time.Second)
	k.ledger.CheckWork(k.now)
	k.t.Close()
}
