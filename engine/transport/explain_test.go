package transport_test

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/media"
	"gazpacho/engine/transport"
	"gazpacho/engine/unit"
)

// layered is a transport that sends a stream with layers of VP9, and whose log is kept.
type layered struct {
	*fixture
	in, out  *transport.Plain
	producer *transport.Producer
	consumer *transport.Consumer
	encoder  *enginetest.LayeredEncoder
	at       time.Duration
	log      bytes.Buffer
}

// newLayered begins with all layers, of 39 kbit/s together, and an estimate of 70 kbit/s.
func newLayered(t *testing.T) *layered {
	s := &layered{fixture: newFixture(t)}
	s.env.Log = slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.in = s.connected()
	s.out = s.plain(func(o *api.PlainTransportOptions) { o.Base.InitialAvailableOutgoingBitrate = new(uint64(70_000)) })
	_, err := s.out.Connect(s.now, enginetest.ConnectPlainRequest(peerAddr))
	require.NoError(t, err)
	stream := enginetest.Stream{Codec: enginetest.VP9, SSRC: 10, Mode: "L3T3"}
	s.encoder = enginetest.NewLayeredEncoder(1, stream)
	s.producer = s.produce(s.in.Transport, "p", stream)
	s.consumer = s.consumeLayers("c", 20)
	s.run(5 * time.Second)
	require.Contains(t, s.log.String(), `msg="target layers changed" tag=simulcast tag=svc transportId=plain consumerId=c`)
	require.Contains(t, s.log.String(), "to=2.2 why=Room")
	require.Contains(t, s.out.Report(), " layers:{}")
	s.log.Reset()
	return s
}

func (s *layered) consumeLayers(id string, ssrc unit.SSRC) *transport.Consumer {
	stream := enginetest.Stream{
		Codec: enginetest.VP9, SSRC: ssrc, Mode: "L3T3", Feedback: []api.RTCPFeedback{enginetest.TransportCC},
		Extensions: []api.RTPHeaderExtensionParameters{{URI: api.RTPHeaderExtensionURITransportWideCcDraft01, ID: ccID}},
	}
	request := stream.Consume(id, s.produced[s.producer])
	request.Type = api.RTPTypeSVC
	c, err := s.out.Consume(s.now, request, keyFrames{s.encoder})
	require.NoError(s.t, err)
	s.attach(s.out.Transport, s.producer, c)
	s.producer.AddSubscriber(&forwarder{[]*transport.Consumer{c}})
	return c
}

// keyFrames has the encoder make those that consumers ask for.
type keyFrames struct{ encoder *enginetest.LayeredEncoder }

func (k keyFrames) RequestKeyFrame(unit.SSRC) { k.encoder.RequestKeyFrame() }

func (keyFrames) ReportFractionLost(string, unit.SSRC, uint8) {}

// run sends 30 pictures a second. The receiver sends no feedback.
func (s *layered) run(d time.Duration) {
	for end := s.at + d; s.at < end; s.at += 33 * time.Millisecond {
		for _, p := range s.encoder.Encode(s.at) {
			s.receive(s.in, 0, peerAddr, p.Bytes())
		}
		for _, t := range []*transport.Plain{s.in, s.out} {
			if t.NextTimeout() <= s.now {
				t.HandleTimeout(s.now)
			}
			t.Settle(s.now)
		}
		s.now = s.now.Add(33 * time.Millisecond)
	}
}

// When a picture gets worse, the log says why, and so do the counters of the transport when it closes.
func TestWhyLayersAreDropped(t *testing.T) {
	for reason, act := range map[string]func(s *layered){
		"Limit": func(s *layered) {
			require.NoError(s.t, s.out.SetMaxOutgoingBitrate(s.now, 32_000))
		},
		"NotPreferred": func(s *layered) {
			s.out.Update(s.now, s.consumer, func(c *media.Consumer) {
				c.SetPreferredLayers(s.now, &api.ConsumerSetPreferredLayersRequest{PreferredLayers: &api.ConsumerLayers{SpatialLayer: 1}})
			})
		},
		"NotSent": func(s *layered) {
			s.encoder.Spatial = 1
			s.encoder.RequestKeyFrame()
			s.run(4 * time.Second)
		},
		"Silence": func(s *layered) {
			s.run(10 * time.Second)
		},
		"Shared": func(s *layered) {
			require.NoError(s.t, s.out.SetMaxOutgoingBitrate(s.now, 55_000))
			s.consumeLayers("another", 30)
		},
	} {
		t.Run(reason, func(t *testing.T) {
			s := newLayered(t)
			act(s)
			s.run(time.Second)
			require.Regexp(t, `consumerId=c from=2\.[012] to=(none|[012]\.[012]) why=`+reason, s.log.String())
			s.out.Close()
			require.Regexp(t, `layers:{.*`+reason+`:\d`, s.out.Report())
		})
	}
}

// The log says why the estimate moved, once for each time that it is distributed.
func TestWhyTheEstimateMoved(t *testing.T) {
	s := newLayered(t)
	require.NoError(t, s.out.SetMaxOutgoingBitrate(s.now, 32_000))
	s.run(time.Second)
	require.Regexp(t, `msg="available outgoing bitrate changed" tag=bwe transportId=plain from=\d+ to=32000 why=.*limit.* desired=\d+`, s.log.String())
	s.log.Reset()
	s.run(3 * time.Second)
	require.NotContains(t, s.log.String(), "available outgoing bitrate changed", "it did not")
}
