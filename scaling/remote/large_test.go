package remote_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/scaling/session"
)

func sendData(data []byte) *api.Notification {
	return &api.Notification{HandlerID: "dp", Event: api.EventDataProducerSend, Body: &api.DataProducerSendNotification{Data: data}}
}

// What is longer than a session takes is refused or dropped, and ends nothing.
func TestTooLong(t *testing.T) {
	n := localNode(t)
	tooLong := make([]byte, 16<<20)
	n.furnish(t)
	require.ErrorContains(t, n.try(api.MethodDataConsumerSend, "dc", &api.DataConsumerSendRequest{Data: tooLong}), "too long for the session")
	require.ErrorIs(t, n.worker.HandleNotification(sendData(tooLong)), session.ErrTooLong)
	n.receive("dc", &api.DataConsumerMessageNotification{Data: tooLong})
	n.inner.answer = &api.WorkerDumpResponse{
		RouterIDs: []string{strings.Repeat("x", 16<<20)}, ChannelMessageHandlers: &api.ChannelMessageHandlers{},
	}
	require.ErrorContains(t, n.try(api.MethodWorkerDump, "", nil), "too long for the session")
	n.inner.answer = nil

	most := filled(1, 16<<20-1000)
	require.NoError(t, n.try(api.MethodDataConsumerSend, "dc", &api.DataConsumerSendRequest{Data: most}))
	require.NoError(t, n.worker.HandleNotification(sendData(most)))
	require.Equal(t, most, n.inner.await(t, 1)[0].Body.(*api.DataProducerSendNotification).Data)
	n.receive("dc", &api.DataConsumerMessageNotification{Data: most})
	n.awaitEvent(t, "dc", api.EventDataConsumerMessage)
	require.Equal(t, 1, n.count("dc", api.EventDataConsumerMessage))
	require.NoError(t, n.worker.Err())
}

// A request that the protocol cannot express is refused before it is sent.
func TestRequestThatCannotBeSent(t *testing.T) {
	n := localNode(t)
	require.ErrorContains(t, n.try(api.MethodRouterCreatePlainTransport, "r", &api.RouterCreatePlainTransportRequest{
		TransportID: "t", Options: &api.PlainTransportOptions{Base: &api.TransportOptions{}, ListenInfo: &api.ListenInfo{}},
	}), "required, but nil")
	require.Empty(t, n.inner.requests)
}

// Messages of data channels for a node that takes none are dropped, and do not fill the session: it goes on, and what was taken arrives.
func TestDataForANodeThatTakesNone(t *testing.T) {
	n := localNode(t)
	n.inner.held.Lock()
	sent := 0
	for ; n.worker.HandleNotification(sendData(filled(sent, 1<<20))) == nil; sent++ {
		require.Less(t, sent, 64)
	}
	require.Greater(t, sent, 15)
	n.inner.held.Unlock()
	for i, m := range n.inner.await(t, sent) {
		require.Equal(t, filled(i, 1<<20), m.Body.(*api.DataProducerSendNotification).Data)
	}
	require.NoError(t, n.worker.Err())
	n.furnish(t)
}
