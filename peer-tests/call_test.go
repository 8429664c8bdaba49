package peers_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rawpeer"
)

// SSRCs of a call: what Alice sends and what Bob receives.
const (
	aliceSSRC = 1111
	bobSSRC   = 2222
)

// call is two peers made by hand, of which Bob hears Alice.
type call struct {
	*app.Router
	alice, bob *rawpeer.Peer
	from, to   *app.Transport // Alice's and Bob's
	producer   *app.Producer
	words      uint16 // that Alice has said
}

// newCall connects both over UDP.
func newCall(t testing.TB, r *app.Router, o app.Options) *call {
	t.Helper()
	c := prepareCall(t, r, o)
	c.alice.Connect(api.ProtocolUDP)
	return c
}

// prepareCall is newCall but for Alice's connection.
func prepareCall(t testing.TB, r *app.Router, o app.Options) *call {
	t.Helper()
	c := &call{Router: r, from: r.NewTransport(o), to: r.NewTransport(listenOn(r, false, api.ProtocolUDP))}
	c.alice, c.bob = rawpeer.New(t, c.from), rawpeer.New(t, c.to)
	c.bob.Connect(api.ProtocolUDP)
	c.producer = c.from.Produce(api.MediaKindAudio, aliceSSRC)
	c.to.Consume(c.producer, bobSSRC)
	return c
}

// speak has Alice say a word that Bob must hear.
func (c *call) speak(t testing.TB) {
	t.Helper()
	c.words++
	word := fmt.Sprintf("word %d", c.words)
	c.alice.Send(aliceSSRC, c.words, word)
	c.hear(t, word)
}

func (c *call) hear(t testing.TB, word string) {
	t.Helper()
	c.bob.RTP.Wait(t, word, func(p rawpeer.Packet) bool { return string(p.Payload) == word })
}

// heard requires that Bob heard each word that Alice said once and nothing else, and that the connection is as it was.
func (c *call) heard(t testing.TB) {
	t.Helper()
	c.speak(t) // behind it nothing is on its way any more
	var heard, said []string
	for _, p := range c.bob.RTP.All() {
		heard = append(heard, string(p.Payload))
	}
	for n := range c.words {
		said = append(said, fmt.Sprintf("word %d", n+1))
	}
	require.Equal(t, said, heard)
	require.EqualValues(t, c.words, c.producer.Received())
	c.undisturbed(t)
}

// undisturbed requires that Alice's transport has gone from new to connected, once, and stayed so.
func (c *call) undisturbed(t testing.TB) {
	t.Helper()
	c.from.RequireConnected()
	require.Equal(t, []api.DTLSState{api.DTLSStateConnecting, api.DTLSStateConnected}, c.from.DTLSStates())
	require.Equal(t, []api.ICEState{api.ICEStateCompleted}, c.from.ICEStates())
	require.Len(t, c.from.Tuples(), 1)
	require.Equal(t, c.alice.Path().Port(), c.from.Dump().ICESelectedTuple.RemotePort)
}
