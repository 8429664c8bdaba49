package channel_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/channel"
	"gazpacho/engine/api"
	"gazpacho/fbs"
)

// failingEncoder fails for what its function says.
type failingEncoder struct {
	channel.Encoder
	fail func(m api.MessageBody) error
}

func (e failingEncoder) AppendMessage(dst []byte, m api.MessageBody) ([]byte, error) {
	if err := e.fail(m); err != nil {
		return append(dst, "rubbish"...), err
	}
	return e.Encoder.AppendMessage(dst, m)
}

func TestWhatCannotBeEncodedIsLogged(t *testing.T) {
	a := setup(t, func(o *channel.Options) {
		o.Encoder = failingEncoder{o.Encoder, func(m api.MessageBody) error {
			switch m := m.(type) {
			case *api.Response:
				if m.ID == 1 && m.Accepted || m.ID == 2 {
					return errors.New("cannot say this")
				}
				if m.ID == 3 && m.Accepted {
					panic("no words")
				}
			case *api.Notification:
				switch m.Event {
				case api.EventConsumerProducerPause:
					return errors.New("cannot say that")
				case api.EventConsumerProducerResume:
					return fmt.Errorf("%w: resume", fbs.ErrNotInDialect)
				}
			case *api.Log:
				if m.Data == "Eunspeakable" {
					return errors.New("cannot log this")
				}
			}
			return nil
		}}
	})
	w := newWorker()
	a.serve(w)
	require.NoError(t, a.settings.Update(&api.WorkerUpdateSettingsRequest{LogLevel: "debug", LogTags: []string{"info"}}))

	a.send(&api.Request{ID: 1})
	require.Equal(t, &api.Response{
		ID: 1, Error: "Error", Reason: "internal error: response cannot be sent: cannot say this",
	}, a.read())
	require.Equal(t, "Eresponse lost [id:1, error:cannot say this]", a.read().(*api.Log).Data)

	a.send(&api.Request{ID: 2})
	require.Equal(t, "Eresponse lost [id:2, error:cannot say this\ncannot say this]", a.read().(*api.Log).Data)

	a.send(&api.Request{ID: 3})
	require.Equal(t, &api.Response{
		ID: 3, Error: "Error", Reason: "internal error: response cannot be sent: the encoder panicked: no words",
	}, a.read())
	require.Contains(t, a.read().(*api.Log).Data, "Eresponse lost [id:3")

	a.ch.Emit(&api.Notification{HandlerID: "c", Event: api.EventConsumerProducerPause})
	require.Equal(t, "Enotification lost [event:CONSUMER_PRODUCER_PAUSE, handlerId:c, error:cannot say that]",
		a.read().(*api.Log).Data)
	a.ch.Emit(&api.Notification{HandlerID: "c", Event: api.EventConsumerProducerResume})
	require.Equal(t, "Dinfo | notification unknown to this release of mediasoup [event:CONSUMER_PRODUCER_RESUME]",
		a.read().(*api.Log).Data)
	a.ch.Logger().Error("unspeakable")
	a.ch.Logger().Error("speakable")
	require.Equal(t, "Espeakable", a.read().(*api.Log).Data)
}

// TestTooLongMessagesAreNotSent: the Node library would throw them away, with all that it holds.
func TestTooLongMessagesAreNotSent(t *testing.T) {
	for compat, longest := range map[api.Compat]int{
		{}:                  channel.MaxPayloadLen - 64<<10,
		{SmallFrames: true}: channel.SmallPayloadLen - 64<<10,
	} {
		w := newWorker()
		size := 0
		w.request = func(_ *api.Request, reply func(api.ResponseBody, error)) {
			reply(&api.WorkerDumpResponse{
				RouterIDs: []string{string(make([]byte, size))}, ChannelMessageHandlers: &api.ChannelMessageHandlers{},
			}, nil)
		}
		a := setup(t, func(o *channel.Options) { o.Compat = compat })
		a.serve(w)
		a.send(&api.Request{ID: 1})
		overhead := len(a.frame(a.response()))
		size = (longest - overhead) &^ 7
		a.send(&api.Request{ID: 2})
		require.True(t, a.response().Accepted)
		size = longest
		a.send(&api.Request{ID: 3})
		require.Equal(t, fmt.Sprintf("internal error: response cannot be sent: message longer than %d bytes", longest),
			a.response().Reason)
		require.Contains(t, a.log(), "Eresponse lost [id:3")
	}
}

// brokenDecoder panics, as no decoder should.
type brokenDecoder struct{ channel.Decoder }

func (brokenDecoder) DecodeMessage([]byte) (api.MessageBody, error) { panic("what is this") }

func TestDecoderPanicsAreContained(t *testing.T) {
	a := setup(t, func(o *channel.Options) { o.Decoder = brokenDecoder{} })
	a.serve(newWorker())
	for range 2 {
		a.send(&api.Request{ID: 1})
		require.Contains(t, a.log(), "error:the decoder panicked: what is this\n")
	}
}
