package transport_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// A NACK behind a broken packet is answered, and the broken one is counted.
func TestMalformedRTCPSilencesNoOther(t *testing.T) {
	k := newCall(t, enginetest.Video)
	k.receive(k.in, 0, peerAddr, enginetest.KeyFrame(10, 1))
	seq := uint16(enginetest.ParseRTP(t, k.outSocket().Sent()[0]).SequenceNumber)
	nack, err := rtcp.Marshal([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: 20, Nacks: []rtcp.NackPair{{PacketID: seq}}}})
	require.NoError(t, err)
	sent := len(k.outSocket().Sent())
	k.receive(k.out, 0, peerAddr, append([]byte{0x81, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2}, nack...))
	require.Len(t, k.outSocket().Sent(), sent+1)
	require.Equal(t, transport.Drops{RTCPMalformed: 1}, k.out.Drops())
}

// withCNAME has a consumer of several encodings, as of a pipe, send reports with a CNAME of the application's.
func (r *fixture) withCNAME(cname string, encodings int) (reports []*rtcp.SenderReport, names []string) {
	in, out := r.connected(), r.connected()
	r.ledgers[out.Transport].PerSecond *= encodings
	request := enginetest.Video(1000).Produce("p")
	consume := enginetest.Video(2000).Consume("c", request)
	consume.Type, consume.RTPParameters.RTCP = api.RTPTypePipe, &api.RTCPParameters{CNAME: cname, ReducedSize: true}
	request.RTPParameters.Encodings, request.RTPMapping.Encodings = nil, nil
	consume.RTPParameters.Encodings, consume.ConsumableRTPEncodings = nil, nil
	for i := range uint32(encodings) {
		from, to := 1000+10*i, 2000+10*i
		request.RTPParameters.Encodings = append(request.RTPParameters.Encodings, api.RTPEncodingParameters{SSRC: new(from)})
		request.RTPMapping.Encodings = append(request.RTPMapping.Encodings, api.EncodingMapping{SSRC: new(from), MappedSSRC: from + 500_000})
		consume.RTPParameters.Encodings = append(consume.RTPParameters.Encodings, api.RTPEncodingParameters{SSRC: new(to)})
		consume.ConsumableRTPEncodings = append(consume.ConsumableRTPEncodings, api.RTPEncodingParameters{SSRC: new(from + 500_000)})
	}
	p, err := in.Produce(r.now, request)
	require.NoError(r.t, err)
	c, err := out.Consume(r.now, consume, &feedbackRecorder{})
	require.NoError(r.t, err)
	r.attach(out.Transport, p, c)
	p.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
	for seq := range unit.SeqNo(100) {
		r.now = r.now.Add(20 * time.Millisecond)
		for i := range uint32(encodings) {
			r.receive(in, 0, peerAddr, enginetest.KeyFrame(unit.SSRC(1000+10*i), seq))
		}
	}
	out.HandleTimeout(r.now)
	out.Settle(r.now)
	require.Equal(r.t, transport.Drops{}, out.Drops())
	all := enginetest.RTCPOf(r.t, r.sockets[1].Sent())
	for _, sdes := range enginetest.Find[*rtcp.SourceDescription](all) {
		for _, chunk := range sdes.Chunks {
			names = append(names, chunk.Items[0].Text)
		}
	}
	return enginetest.Find[*rtcp.SenderReport](all), names
}

// A CNAME that is longer than SDES can say costs its end, not the sender reports.
func TestLongCNAMEs(t *testing.T) {
	for _, test := range []struct{ cname, want string }{
		{"router", "router"},
		{strings.Repeat("n", 255), strings.Repeat("n", 255)},
		{strings.Repeat("n", 256), strings.Repeat("n", 255)},
		{strings.Repeat("é", 200), strings.Repeat("é", 127)},
		{strings.Repeat("n", 70000), strings.Repeat("n", 255)},
	} {
		for _, encodings := range []int{1, 3, 16} {
			reports, names := newFixture(t).withCNAME(test.cname, encodings)
			require.Len(t, reports, encodings)
			require.Len(t, names, encodings)
			for _, name := range names {
				require.Equal(t, test.want, name)
			}
		}
	}
}
