package transport_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/dtls"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/transport"
	"gazpacho/engine/wire/stun"
	"gazpacho/internal/fuzzseed"
)

// maxFuzzedDatagrams bounds one input.
const maxFuzzedDatagrams = 64

// eachDatagram cuts an input into datagrams: a byte that says how it comes, two of length, its bytes.
func eachDatagram(b []byte, f func(how byte, data []byte)) {
	for n := 0; len(b) >= 3 && n < maxFuzzedDatagrams; n++ {
		how, length := b[0], int(binary.BigEndian.Uint16(b[1:]))
		b = b[3:]
		length = min(length, len(b))
		f(how, b[:length])
		b = b[length:]
	}
}

// datagrams is the contrary of eachDatagram.
func datagrams(how byte, list ...[]byte) (all []byte) {
	for _, d := range list {
		all = append(binary.BigEndian.AppendUint16(append(all, how), uint16(len(d))), d...)
	}
	return all
}

// mediaSeeds are what peers of the fuzzed transports send: media and feedback about the streams 10 (theirs) and 20 (ours).
func mediaSeeds() [][]byte {
	return [][]byte{
		enginetest.KeyFrame(10, 1), enginetest.RTP(10, 2, []byte{0x10, 1, 2, 3}), enginetest.KeyFrame(10, 9),
		enginetest.MarshalRTCP(&rtcp.SenderReport{SSRC: 10, NTPTime: 1 << 40, RTPTime: 5}),
		enginetest.MarshalRTCP(&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: 20, FractionLost: 9, LastSequenceNumber: 3, Delay: 1}}}),
		enginetest.MarshalRTCP(&rtcp.TransportLayerNack{MediaSSRC: 20, Nacks: rtcp.NackPairsFromSequenceNumbers([]uint16{1, 2, 5})}),
		enginetest.MarshalRTCP(&rtcp.PictureLossIndication{MediaSSRC: 20}, &rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: 20}}}),
		enginetest.MarshalRTCP(&rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: 1e6, SSRCs: []uint32{20}}),
		enginetest.MarshalRTCP(&rtcp.TransportLayerCC{
			Header:    rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: 5},
			MediaSSRC: 20, PacketStatusCount: 1,
			PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{PacketStatusSymbol: 1, RunLength: 1}},
			RecvDeltas:   []*rtcp.RecvDelta{{Type: 1, Delta: 250}},
		}),
		enginetest.MarshalRTCP(&rtcp.ExtendedReport{SenderSSRC: 1, Reports: []rtcp.ReportBlock{&rtcp.ReceiverReferenceTimeReportBlock{NTPTimestamp: 7}}}),
	}
}

// forwarding gives t a producer of the stream 10 and a consumer of it, which is sent as 20.
func (r *fixture) forwarding(t *transport.Transport) {
	r.t.Helper()
	extensions := []api.RTPHeaderExtensionParameters{
		{URI: api.RTPHeaderExtensionURITransportWideCcDraft01, ID: 5}, {URI: api.RTPHeaderExtensionURIAbsSendTime, ID: 4},
	}
	produced, consumed := enginetest.Video(10), enginetest.Video(20)
	for _, s := range []*enginetest.Stream{&produced, &consumed} {
		s.Extensions, s.Feedback = extensions, []api.RTCPFeedback{enginetest.TransportCC}
	}
	p := r.produce(t, "p", produced)
	c := r.consumeAs(t, p, "c", consumed, &feedbackRecorder{})
	r.attach(t, p, c)
	p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
}

// pass lets time pass and checks what must be true after each call.
func (r *fixture) pass(t *transport.Transport, how byte) {
	require.Zero(r.t, r.env.Batch.Len(), "nothing waits in the batch between calls")
	r.now = r.now.Add(time.Duration(how>>2) * 5 * time.Millisecond)
	if t.NextTimeout() <= r.now {
		t.HandleTimeout(r.now)
		t.Settle(r.now)
	}
	require.False(r.t, t.Broken())
}

// FuzzPlainDatagrams throws datagrams at a PlainTransport that takes everything: media, RTCP and SCTP in clear. Bit 0 of how
// they come says from whom, bit 1 to which port, the others how much time passes.
func FuzzPlainDatagrams(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	f.Add(datagrams(4, mediaSeeds()...))
	f.Add(datagrams(6, mediaSeeds()...))
	f.Add(datagrams(0, []byte{0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0, 1, 2, 3, 4, 1, 0, 0, 20, 0, 0, 0, 1, 0, 1, 0, 0, 0, 8, 0, 8, 0, 0, 0, 1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newFixture(t)
		r.env.Wake = func() {}
		p := r.plain(func(o *api.PlainTransportOptions) {
			o.RTCPMux, o.Comedia = false, true
			o.Base.EnableSCTP, o.Base.MaxSendMessageSize, o.Base.MaxReceiveMessageSize = true, 1<<16, 1<<16
		})
		defer p.Close()
		r.forwarding(p.Transport)
		eachDatagram(b, func(how byte, data []byte) {
			from := peerAddr
			if how&1 != 0 {
				from = strangerAddr
			}
			r.receive(p, int(how>>1&1), from, data)
			r.pass(p.Transport, how)
		})
	})
}

// FuzzWebRtcDatagrams throws datagrams at a connected WebRtcTransport: as they are (bits 0 and 1 of how they come are 0), or
// as a peer with the keys sends them, which is SRTP, SRTCP and data.
func FuzzWebRtcDatagrams(tf *testing.F) {
	f := fuzzseed.New(tf, 150)
	check := stun.Build(nil, stun.Request, stun.Binding, stun.TransactionID{1})
	check.String(stun.Username, "nobody:browser")
	check.Fingerprint()
	f.Add(datagrams(0, check.Message(), []byte{22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 9}, []byte{128, 0, 0, 0}))
	f.Add(append(datagrams(5, mediaSeeds()[:3]...), datagrams(6, mediaSeeds()[3:]...)...))
	f.Add(datagrams(3, []byte{0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0, 1, 2, 3, 4, 1, 0, 0, 4}))
	f.Fuzz(func(t *testing.T, b []byte) {
		peer := established(t, func(o *api.WebRtcTransportOptions) {
			o.Base.EnableSCTP, o.Base.IsDataChannel, o.Base.MaxReceiveMessageSize = true, true, 1<<16
		})
		peer.forwarding(peer.w.Transport)
		eachDatagram(b, func(how byte, data []byte) {
			peer.throw(how, data)
			peer.pass(peer.w.Transport, how)
		})
	})
}

// throw sends data to the transport, sealed as how says. What cannot be sealed is sent as it is.
func (b *browser) throw(how byte, data []byte) {
	space := append(append([]byte(nil), data...), make([]byte, 64)...)
	switch how & 3 {
	case 1:
		if n, err := b.sender.ProtectRTP(space, len(data), 12); err == nil {
			data = space[:n]
		}
	case 2:
		if sealed, err := b.sender.ProtectRTCP(nil, data); err == nil {
			data = sealed
		}
	case 3:
		var out dtls.Output
		if b.dtls.Write(data) == nil {
			b.dtls.Poll(&out)
			for _, d := range out.Datagrams {
				b.deliver(d)
			}
			return
		}
	}
	b.deliver(data)
}
