package peers_test

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/peer-tests/app"
	"gazpacho/peer-tests/rawpeer"
)

// repeat calls f a hundred times a second until the function that it returns is called.
func repeat(f func()) (stop func()) {
	ended := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
				f()
			}
		}
	})
	return func() {
		close(ended)
		running.Wait()
	}
}

// renew keeps a transport's consent fresh.
func renew(path *rawpeer.Path, tr *app.Transport, t testing.TB) (stop func()) {
	check := rawpeer.CheckOf(tr, true).Build(t).Raw
	return repeat(func() { path.Send(check) })
}

// TestSTUNFlood: 20,000 checks with bad integrity within two seconds, half of them from the peer's address, are refused, and
// the call loses no packet.
func TestSTUNFlood(t *testing.T) {
	for name, shared := range map[string]bool{"own ports": false, "WebRtcServer": true} {
		t.Run(name, func(t *testing.T) {
			const perTick, ticks = 100, 200 // a tick is 10 ms
			r := start(t)
			c := newCall(t, r, listenOn(r, shared, api.ProtocolUDP))
			c.speak(t)
			bad := rawpeer.CheckOf(c.from, true)
			bad.Password = "wrong"
			message := bad.Build(t).Raw
			stranger := rawpeer.Open(t, api.ProtocolUDP, c.from.Candidate(api.ProtocolUDP).Port)
			ticker := time.NewTicker(10 * time.Millisecond)
			defer ticker.Stop()
			for range ticks {
				for range perTick / 2 {
					stranger.Send(message)
					c.alice.Path().Send(message)
				}
				c.speak(t)
				<-ticker.C
			}
			c.heard(t)
			require.Greater(t, len(stranger.STUN.All()), perTick)
			for _, answer := range stranger.STUN.All() {
				require.EqualValues(t, 401, errorCode(t, answer))
			}
		})
	}
}

// garbage returns meaningless packets, some of which begin like valid ones.
func garbage(rng *rand.Rand, count int) (packets [][]byte) {
	for range count {
		b := make([]byte, rng.IntN(1400))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		if len(b) > 0 && rng.IntN(2) == 0 {
			b[0] = []byte{0, 1, 20, 22, 23, 63, 64, 79, 128, 144, 191, 255}[rng.IntN(12)]
		}
		packets = append(packets, b)
	}
	return packets
}

// TestGarbageOnEveryPort: random bytes to all kinds of ports, before and while they are used, from strangers and from the peer's
// address, are dropped; calls continue and new ones can start.
func TestGarbageOnEveryPort(t *testing.T) {
	r := start(t)
	rng := rand.New(rand.NewPCG(1, 2))
	own := newCall(t, r, listenOn(r, false, api.ProtocolUDP, api.ProtocolTCP))
	behind := newCall(t, r, listenOn(r, true, api.ProtocolUDP, api.ProtocolTCP))
	unused := r.NewTransport(listenOn(r, false, api.ProtocolUDP, api.ProtocolTCP))
	for _, protocol := range []api.Protocol{api.ProtocolUDP, api.ProtocolTCP} {
		ports := []uint16{own.from.Candidate(protocol).Port, behind.from.Candidate(protocol).Port, unused.Candidate(protocol).Port}
		if protocol == api.ProtocolUDP {
			ports = append(ports, r.NewPlainPort(), r.NewPipePort())
		}
		for _, port := range ports {
			path := rawpeer.Open(t, protocol, port)
			for i, packet := range garbage(rng, 300) {
				path.Send(packet)
				if i%25 == 0 { // a socket's buffer is limited
					own.speak(t)
					behind.speak(t)
				}
			}
			unframed := rawpeer.Open(t, protocol, port)
			for _, packet := range garbage(rng, 20) {
				unframed.SendRaw(packet)
			}
		}
	}
	for _, c := range []*call{own, behind} {
		for i, packet := range garbage(rng, 1000) {
			c.alice.Path().Send(packet)
			if i%25 == 0 {
				c.speak(t)
			}
		}
		c.heard(t)
	}
	newCall(t, r, listenOn(r, false, api.ProtocolUDP)).heard(t)
	require.Equal(t, api.ICEStateNew, unused.Dump().ICEState)
	rawpeer.Open(t, api.ProtocolTCP, unused.Candidate(api.ProtocolTCP).Port).Nominate(unused)
}

// TestHalfFrame: the worker closes a TCP connection that sends half a frame, nothing at all, or frames without ever passing a
// check; meanwhile and afterwards it serves others.
func TestHalfFrame(t *testing.T) {
	t.Parallel()
	for name, shared := range map[string]bool{"own ports": false, "WebRtcServer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			tr := r.NewTransport(listenOn(r, shared, api.ProtocolTCP))
			port := tr.Candidate(api.ProtocolTCP).Port
			half, silent, chatty := rawpeer.Open(t, api.ProtocolTCP, port), rawpeer.Open(t, api.ProtocolTCP, port),
				rawpeer.Open(t, api.ProtocolTCP, port)
			half.SendRaw([]byte{0, 100, 0, 1})
			stop := repeat(func() {
				chatty.Send(rawpeer.Check{Fragment: tr.ICE.UsernameFragment, Password: "wrong"}.Build(t).Raw)
			})
			defer stop()

			good := rawpeer.Open(t, api.ProtocolTCP, port)
			good.Nominate(tr)
			check := rawpeer.CheckOf(tr, true).Build(t).Raw
			good.SendRaw([]byte{0, byte(len(check))})
			good.SendRaw(check[:10])
			for _, path := range []*rawpeer.Path{half, silent, chatty} {
				path.Ended.Wait(t, "the worker to close the connection", func(error) bool { return true })
			}
			good.SendRaw(check[10:]) // an admitted connection has no time limit
			good.Nominate(tr)
			require.Empty(t, good.Ended.All())
			require.Equal(t, api.ICEStateCompleted, tr.Dump().ICEState)
		})
	}
}

// TestHugeFrame: a new connection that announces a frame larger than any check is closed at once.
func TestHugeFrame(t *testing.T) {
	r := start(t)
	tr := r.NewTransport(listenOn(r, true, api.ProtocolTCP))
	path := rawpeer.Open(t, api.ProtocolTCP, tr.Candidate(api.ProtocolTCP).Port)
	path.SendRaw([]byte{0xff, 0xff, 0, 1})
	path.Ended.Wait(t, "the worker to close the connection", func(error) bool { return true })
	rawpeer.Open(t, api.ProtocolTCP, tr.Candidate(api.ProtocolTCP).Port).Nominate(tr)
}

// TestTCPCrowd: great numbers of short connections leave nothing behind, and a valid one among them is served.
func TestTCPCrowd(t *testing.T) {
	const waves, size = 5, 200
	r := start(t)
	tr := r.NewTransport(listenOn(r, true, api.ProtocolTCP))
	port := tr.Candidate(api.ProtocolTCP).Port
	rawpeer.Open(t, api.ProtocolTCP, port).Nominate(tr)
	before := r.Descriptors()
	for range waves {
		crowd := make([]*rawpeer.Path, size)
		for i := range crowd {
			crowd[i] = rawpeer.Open(t, api.ProtocolTCP, port)
			crowd[i].SendRaw([]byte{0})
		}
		path := rawpeer.Open(t, api.ProtocolTCP, port)
		path.Nominate(tr)
		path.Close()
		for _, path := range crowd {
			path.Close()
		}
	}
	r.Eventually("the connections' descriptors to be closed", func() bool { return r.Descriptors() <= before+1 })
}
