package engine_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
)

// app plays the application of a worker.
type app struct {
	*enginetest.App
	worker *engine.Worker
}

func newApp(t *testing.T, o engine.Options) *app { return newAppBy(t, engine.New, o) }

// newAppBy returns an app whose worker the given function makes.
func newAppBy(t *testing.T, make func(engine.Options) (*engine.Worker, error), o engine.Options) *app {
	a := &app{}
	a.App = enginetest.NewApp(t, enginetest.ForWorker(t, func() api.Worker { return a.worker }))
	o.Emit = a.Emit
	var err error
	a.worker, err = make(o)
	require.NoError(t, err)
	t.Cleanup(a.worker.Close)
	return a
}

// plainOptions are those of a transport on the loopback interface.
func plainOptions() *api.PlainTransportOptions { return enginetest.PlainOptions("127.0.0.1") }

// loopback returns a ListenInfo whose port comes from the worker's range.
func loopback(p api.Protocol) api.ListenInfo { return enginetest.ListenInfo(p, "127.0.0.1") }

// keyFrame is an RTP packet of the given payload size, with its sequence number in the payload. It is a key frame of VP8, which
// does for Opus too.
func keyFrame(ssrc unit.SSRC, seq unit.SeqNo, size int) []byte {
	payload := make([]byte, size)
	copy(payload, enginetest.VP8KeyFrame)
	binary.BigEndian.PutUint16(payload[sequenceAt:], uint16(seq))
	return enginetest.Packet{SSRC: ssrc, Seq: seq, Timestamp: unit.Timestamp(seq) * 3000, Marker: true, Payload: payload}.Bytes()
}

// sequenceAt is where the payload of keyFrame has the sequence number.
const sequenceAt = 11
