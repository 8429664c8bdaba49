package transport_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/netio"
	"gazpacho/engine/packet"
	"gazpacho/engine/srtp"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
	wirertcp "gazpacho/engine/wire/rtcp"
	"gazpacho/engine/wire/rtp"
)

// longestRTP is the longest RTP packet that is taken: what is left of a datagram (65,507 bytes) when a consumer has written its
// extensions (512) and SRTP its tag (32).
const longestRTP = 65507 - 512 - 32

// lengths are those of RTP packets around every limit, up to what a TCP frame carries.
var lengths = []int{
	26, 255, 1200, 1499, 1500, 1501, 1599, 1600, 1601, 1617, 4095, 4096, 4097, 16384, 16385, 32768, longestRTP - 1, longestRTP,
	longestRTP + 1, 65507 - 33, 65507 - 32, 65507 - 17, 65507 - 16, 65507 - 15, 65507 - 1, 65507, 65508, 65535 - 16, 65535 - 1, 65535,
}

// srtpSuites are those of mediasoup, nil for none.
var srtpSuites = map[string]*api.SRTPCryptoSuite{
	"in clear":                nil,
	"AEAD_AES_256_GCM":        new(api.SRTPCryptoSuiteAEADAES256GCM),
	"AEAD_AES_128_GCM":        new(api.SRTPCryptoSuiteAEADAES128GCM),
	"AES_CM_128_HMAC_SHA1_80": new(api.SRTPCryptoSuiteAESCM128HMACSHA180),
	"AES_CM_128_HMAC_SHA1_32": new(api.SRTPCryptoSuiteAESCM128HMACSHA132),
}

// longKeyFrame is a VP8 key frame of n bytes with the given form of header extensions: none, those of one byte (RFC 8285 section
// 4.2) or of two (section 4.3), as many as a router forwards.
func longKeyFrame(form string, seq uint16, n int) []byte {
	b := enginetest.KeyFrame(10, unit.SeqNo(seq))
	var values []rtp.Extension
	switch form {
	case "one-byte extensions":
		values = []rtp.Extension{{ID: 8, Value: make([]byte, 16)}, {ID: 9, Value: []byte{1}}}
	case "two-byte extensions":
		values = []rtp.Extension{{ID: 8, Value: make([]byte, 200)}, {ID: 9, Value: []byte{1}}, {ID: 20, Value: []byte{1, 2, 3}}}
	}
	if len(values) > 0 && n > 300 {
		header := rtp.AppendHeader(nil, rtp.Header{
			PayloadType: 100, SequenceNumber: unit.SeqNo(seq), Timestamp: unit.Timestamp(seq) * 3000, SSRC: 10,
		}, values)
		b = append(header, b[12:]...)
	}
	return append(b, make([]byte, n-len(b))...)
}

var forwarded = []api.RTPHeaderExtensionParameters{
	{URI: api.RTPHeaderExtensionURIDependencyDescriptor, ID: 8},
	{URI: api.RTPHeaderExtensionURIVideoOrientation, ID: 9},
	{URI: api.RTPHeaderExtensionURIPlayoutDelay, ID: 20},
}

// written are the extensions that receivers take, with ids that need the two-byte form.
var written = []api.RTPHeaderExtensionParameters{
	{URI: api.RTPHeaderExtensionURIMid, ID: 30},
	{URI: api.RTPHeaderExtensionURIAbsSendTime, ID: 31},
	{URI: api.RTPHeaderExtensionURITransportWideCcDraft01, ID: 32},
	{URI: api.RTPHeaderExtensionURIDependencyDescriptor, ID: 33},
	{URI: api.RTPHeaderExtensionURIVideoOrientation, ID: 34},
	{URI: api.RTPHeaderExtensionURIPlayoutDelay, ID: 35},
}

// produceLong produces the stream 10 with the header extensions of longKeyFrame.
func (r *fixture) produceLong(t *transport.Transport) *transport.Producer {
	r.t.Helper()
	stream := enginetest.Video(10)
	stream.Extensions = forwarded
	return r.produce(t, "p", stream)
}

// consumeLong consumes p with all extensions that are written.
func (r *fixture) consumeLong(t *transport.Transport, p *transport.Producer, typ api.RTPType) *transport.Consumer {
	r.t.Helper()
	stream := enginetest.Video(20)
	stream.MID, stream.Extensions, stream.Feedback = "sixteen-bytes-id", written, []api.RTCPFeedback{enginetest.TransportCC}
	request := stream.Consume("c", r.produced[p])
	request.Type = typ
	c, err := t.Consume(r.now, request, &feedbackRecorder{})
	require.NoError(r.t, err)
	r.attach(t, p, c)
	p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
	return c
}

// receiver is a transport with a consumer, and how many packets it has sent.
type receiver struct {
	*fixture
	out  *transport.Transport
	sent func() [][]byte
}

// pipeTo returns a connected PipeTransport.
func (r *fixture) pipeTo(secured bool) *transport.Pipe {
	r.t.Helper()
	return r.pipeWith(secured, func(*api.TransportOptions) {})
}

func (r *fixture) pipeWith(secured bool, change func(*api.TransportOptions)) *transport.Pipe {
	r.t.Helper()
	first := len(r.sockets)
	options := &api.PipeTransportOptions{
		Base: &api.TransportOptions{}, ListenInfo: plainOptions().ListenInfo, EnableRTX: true, EnableSRTP: secured,
	}
	change(options.Base)
	p, err := transport.NewPipe("pipe", options, r.env)
	require.NoError(r.t, err)
	r.audit(p.Transport, r.sockets[first:])
	connect := &api.PipeTransportConnectRequest{IP: peerAddr.Addr().String(), Port: new(peerAddr.Port())}
	connect.SRTPParameters = p.Dump().(*api.PipeTransportDumpResponse).SRTPParameters
	_, err = p.Connect(r.now, connect)
	require.NoError(r.t, err)
	return p
}

func (r *fixture) plainTo(suite *api.SRTPCryptoSuite) *transport.Plain {
	r.t.Helper()
	p := r.plain(func(o *api.PlainTransportOptions) { o.EnableSRTP, o.SRTPCryptoSuite = suite != nil, suite })
	connect := enginetest.ConnectPlainRequest(peerAddr)
	connect.SRTPParameters = p.Dump().(*api.PlainTransportDumpResponse).SRTPParameters
	_, err := p.Connect(r.now, connect)
	require.NoError(r.t, err)
	return p
}

// receivers are all kinds of transport that a consumer can be on.
func receivers() map[string]func(t *testing.T) *receiver {
	overSocket := func(r *fixture, out *transport.Transport) *receiver {
		s := r.sockets[len(r.sockets)-1]
		return &receiver{r, out, s.Sent}
	}
	all := map[string]func(t *testing.T) *receiver{
		"pipe": func(t *testing.T) *receiver {
			r := newFixture(t)
			return overSocket(r, r.pipeTo(false).Transport)
		},
		"pipe with SRTP": func(t *testing.T) *receiver {
			r := newFixture(t)
			return overSocket(r, r.pipeTo(true).Transport)
		},
		"direct": func(t *testing.T) *receiver {
			r := newFixture(t)
			d, err := transport.NewDirect(r.now, "d", &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}}, r.env)
			require.NoError(t, err)
			return &receiver{r, d, func() (sent [][]byte) {
				for _, n := range r.notifications.Of(api.EventConsumerRTP) {
					sent = append(sent, n.Body.(*api.ConsumerRTPNotification).Data)
				}
				return sent
			}}
		},
	}
	for name, protocol := range map[string]api.Protocol{"WebRTC over UDP": api.ProtocolUDP, "WebRTC over TCP": api.ProtocolTCP} {
		all[name] = func(t *testing.T) *receiver {
			b := establishedOver(t, protocol)
			before := len(b.sent)
			return &receiver{b.fixture, b.w.Transport, func() [][]byte { return b.sent[before:] }}
		}
	}
	for name, suite := range srtpSuites {
		all["plain, "+name] = func(t *testing.T) *receiver {
			r := newFixture(t)
			return overSocket(r, r.plainTo(suite).Transport)
		}
	}
	return all
}

// Whatever the length of a packet, either all kinds of consumers send it in one datagram, or it was dropped and counted where it
// arrived.
func TestEveryLengthFitsEveryConsumer(t *testing.T) {
	for name, setUp := range receivers() {
		for _, form := range []string{"no extensions", "one-byte extensions", "two-byte extensions"} {
			t.Run(name+", "+form, func(t *testing.T) {
				k := setUp(t)
				in := k.connected()
				p := k.produceLong(in.Transport)
				typ := api.RTPTypeSimple
				if name == "pipe" || name == "pipe with SRTP" {
					typ = api.RTPTypePipe
				}
				c := k.consumeLong(k.out, p, typ)
				fits, longer := 0, 0
				for i, n := range lengths {
					k.receive(in, 0, peerAddr, longKeyFrame(form, uint16(i+1), n))
					if n <= longestRTP {
						fits++
					} else {
						longer++
					}
					require.EqualValues(t, longer, in.Drops().TooLarge, n)
					require.Len(t, k.media(), fits, n)
				}
				for _, b := range k.media() {
					require.LessOrEqual(t, len(b), netio.MaxPacketLen)
				}
				require.Equal(t, transport.Drops{TooLarge: uint64(longer)}, in.Drops())
				require.Zero(t, k.out.Drops())
				require.False(t, k.out.Broken())
				require.EqualValues(t, fits, packetCount(c, k.fixture))
			})
		}
	}
}

// media returns what was sent of the consumer's stream.
func (k *receiver) media() (found [][]byte) {
	for _, b := range k.sent() {
		if !wirertcp.LooksLikeRTCP(b) && rtp.LooksLikeRTP(b) && binary.BigEndian.Uint32(b[8:]) == 20 {
			found = append(found, b)
		}
	}
	return found
}

// establishedOver is established over UDP or TCP.
func establishedOver(t *testing.T, protocol api.Protocol) *browser {
	t.Helper()
	b := newBrowser(t, nil)
	b.link = b.newLink(2, protocol)
	b.check(b.password(), true)
	b.connect(certificates()[1].Fingerprints())
	require.NoError(t, b.dtls.Start(dtls.Client, certificates()[0].Fingerprints()))
	b.shake(api.DTLSStateConnected)
	return b
}

func packetCount(c *transport.Consumer, r *fixture) uint64 {
	return c.Stats(r.now).Stats[0].Data.(*api.RTPStreamSendStats).PacketCount
}

// Packets that are too long are dropped on every kind of transport that they can arrive at, before anything is made of them.
func TestTooLongPacketsAreDroppedWhereTheyArrive(t *testing.T) {
	kinds := map[string]func(t *testing.T) (*fixture, *transport.Transport, func(b []byte)){
		"comedia": func(t *testing.T) (*fixture, *transport.Transport, func(b []byte)) {
			r := newFixture(t)
			p := r.plain(func(o *api.PlainTransportOptions) { o.Comedia = true })
			return r, p.Transport, func(b []byte) { r.receive(p, 0, strangerAddr, b) }
		},
		"pipe": func(t *testing.T) (*fixture, *transport.Transport, func(b []byte)) {
			r := newFixture(t)
			p := r.pipeTo(false)
			return r, p.Transport, func(b []byte) { r.receive(p.Plain, 0, peerAddr, b) }
		},
		"WebRTC": func(t *testing.T) (*fixture, *transport.Transport, func(b []byte)) {
			b := established(t, nil)
			return b.fixture, b.w.Transport, b.sendRTP
		},
		"direct": func(t *testing.T) (*fixture, *transport.Transport, func(b []byte)) {
			r := newFixture(t)
			d, err := transport.NewDirect(r.now, "d", &api.DirectTransportOptions{Base: &api.TransportOptions{Direct: true}}, r.env)
			require.NoError(t, err)
			return r, d, func(b []byte) { d.HandleProducerSend(r.now, b) }
		},
	}
	for name, suite := range srtpSuites {
		if suite == nil {
			continue
		}
		kinds["plain, "+name] = func(t *testing.T) (*fixture, *transport.Transport, func(b []byte)) {
			r := newFixture(t)
			s := r.secure(*suite, *suite, map[api.SRTPCryptoSuite]srtp.Suite{
				api.SRTPCryptoSuiteAEADAES256GCM:      srtp.AEADAES256GCM,
				api.SRTPCryptoSuiteAEADAES128GCM:      srtp.AEADAES128GCM,
				api.SRTPCryptoSuiteAESCM128HMACSHA180: srtp.AESCM128HMACSHA180,
				api.SRTPCryptoSuiteAESCM128HMACSHA132: srtp.AESCM128HMACSHA132,
			}[*suite], false)
			return r, s.Transport, func(b []byte) { r.receive(s.Plain, 0, peerAddr, r.protect(s, b)) }
		}
	}
	for name, setUp := range kinds {
		t.Run(name, func(t *testing.T) {
			r, in, send := setUp(t)
			p := r.produce(in, "p", enginetest.Video(10))
			forwarded := &subscriber{}
			p.AddSubscriber(forwarded)
			taken := 0
			for i, n := range lengths {
				if n > 65535-16 {
					continue // no TCP frame could carry it with its tag
				}
				send(longKeyFrame("", uint16(i+1), n))
				in.Settle(r.now)
				if n <= longestRTP {
					taken++
				}
				require.Len(t, forwarded.pkts, taken, n)
			}
			require.Positive(t, in.Drops().TooLarge)
			require.Equal(t, transport.Drops{TooLarge: in.Drops().TooLarge}, in.Drops())
			for _, pkt := range forwarded.pkts {
				pkt.Release()
			}
		})
	}
}

// A consumer that is handed a packet that is too long drops and counts it; the rest of the batch goes out.
func TestAConsumerDropsWhatDoesNotFit(t *testing.T) {
	k := newCall(t, enginetest.Video)
	k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
	var batch []*packet.Packet
	for seq, n := range map[uint16]int{2: 100, 3: longestRTP + 1, 4: 65535} {
		data := longKeyFrame("", seq, n)
		pkt := enginetest.Receive(t, k.now, data)
		pkt.SSRC = enginetest.MappedSSRC(10)
		batch = append(batch, pkt)
	}
	k.c.Forward(k.now, batch)
	require.EqualValues(t, 2, k.out.Drops().TooLarge)
	require.Len(t, k.outSocket().Sent(), 2)
}
