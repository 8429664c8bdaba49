package peers_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rawpeer"
)

// SSRCs of a call: Alice's stream as she sends it and as Bob receives it.
const (
	aliceSSRC = 1111
	bobSSRC   = 2222
)

// call is two raw peers; Bob receives Alice's audio.
type call struct {
	*app.Router
	alice, bob *rawpeer.Peer
	from, to   *app.Transport // Alice's and Bob's
	producer   *app.Producer
	words      uint16 // number of words that Alice has sent
}

// newCall connects both over UDP.
func newCall(t testing.TB, r *app.Router, o app.Options) *call {
	t.Helper()
	c := prepareCall(t, r, o)
	c.alice.Connect(api.ProtocolUDP)
	return c
}

// prepareCall is newCall without connecting Alice.
func prepareCall(t testing.TB, r *app.Router, o app.Options) *call {
	t.Helper()
	c := &call{Router: r, from: r.NewTransport(o), to: r.NewTransport(listenOn(r, false, api.ProtocolUDP))}
	c.alice, c.bob = rawpeer.New(t, c.from), rawpeer.New(t, c.to)
	c.bob.Connect(api.ProtocolUDP)
	c.producer = c.from.Produce(api.MediaKindAudio, aliceSSRC)
	c.to.Consume(c.producer, bobSSRC)
	return c
}

// speak makes Alice send a word that Bob must receive.
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

// heard requires that Bob has received each word of Alice once and nothing else, and that the connection is undisturbed.
func (c *call) heard(t testing.TB) {
	t.Helper()
	c.speak(t) // when it has arrived, so has everything before it
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

// undisturbed requires that Alice's transport was connected once and has stayed connected.
func (c *call) undisturbed(t testing.TB) {
	t.Helper()
	c.from.RequireConnected()
	require.Equal(t, []api.DTLSState{api.DTLSStateConnecting, api.DTLSStateConnected}, c.from.DTLSStates())
	require.Equal(t, []api.ICEState{api.ICEStateCompleted}, c.from.ICEStates())
	require.Len(t, c.from.Tuples(), 1)
	require.Equal(t, c.alice.Path().Port(), c.from.Dump().ICESelectedTuple.RemotePort)
}
