package sctp_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/sctp"
	"gazpacho/internal/fuzzseed"
)

func FuzzHandlePacket(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	f.Add([]byte{0, 3, 0, 17, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 51, 'x'}, true)
	f.Add([]byte{1, 0, 0, 20, 0, 0, 0, 9, 0, 1, 0, 0, 0, 9, 0, 9, 0, 0, 0, 7}, true)
	f.Add([]byte{130, 0, 0, 22, 0, 13, 0, 18, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 5}, true)
	f.Add([]byte{192, 0, 0, 12, 0, 0, 0, 9, 0, 1, 0, 1}, true)
	f.Add([]byte{3, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0}, true)
	f.Add([]byte{6, 0, 0, 4}, false)
	f.Fuzz(func(t *testing.T, chunks []byte, connect bool) {
		wakes := make(chan struct{}, 1)
		a := sctp.New(sctp.Config{}, func() {
			select {
			case wakes <- struct{}{}:
			default:
			}
		})
		defer a.Close()
		tag := uint32(0)
		if connect {
			a.MayConnect()
			var out sctp.Output
			for len(out.Packets) == 0 {
				<-wakes
				a.Poll(&out)
			}
			tag = binary.BigEndian.Uint32(out.Packets[0][16:])
		}
		p := raw(tag)
		a.HandlePacket(seal(append(p, chunks...)))
		binary.BigEndian.PutUint32(p[4:], 0)
		a.HandlePacket(seal(append(p[:12:12], chunks...)))
		a.HandlePacket(chunks)
		var out sctp.Output
		a.Poll(&out)
		require.Empty(t, out.Messages, "nothing is received before the association is connected")
	})
}

// Whatever a connected peer sends, nothing panics, and nothing is left after Close.
func FuzzConnected(tf *testing.F) {
	f := fuzzseed.New(tf, 500)
	f.Add([]byte{0, 3, 0, 17, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 51, 'x'}, uint8(0))
	f.Add([]byte{0, 2, 0, 17, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 51, 'x'}, uint8(1))
	f.Add([]byte{130, 0, 0, 22, 0, 13, 0, 18, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 5}, uint8(0))
	f.Add([]byte{130, 0, 0, 16, 0, 16, 0, 12, 0, 0, 0, 1, 0, 0, 0, 1}, uint8(0))
	f.Add([]byte{192, 0, 0, 12, 0, 0, 0, 9, 0, 1, 0, 1}, uint8(3))
	f.Add([]byte{3, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0}, uint8(0))
	f.Add([]byte{7, 0, 0, 8, 0, 0, 0, 1, 8, 0, 0, 4, 14, 0, 0, 4}, uint8(0))
	f.Add(initOf(9)[12:], uint8(0))
	f.Add([]byte{4, 0, 0, 12, 0, 1, 0, 8, 1, 2, 3, 4, 5, 0, 0, 12, 0, 1, 0, 8, 0, 0, 0, 0}, uint8(0))
	f.Fuzz(func(t *testing.T, chunks []byte, tsn uint8) {
		toA, toB := &wiretap{}, &wiretap{}
		a, b := newEnd(sctp.Config{}), newEnd(sctp.Config{})
		link(t, a, b, toB.see)
		link(t, b, a, toA.see)
		connect(t, a, b)
		tag := binary.BigEndian.Uint32(toB.find(10)[4:])
		next := binary.BigEndian.Uint32(toB.find(1)[28:]) + uint32(tsn)
		chunks = bytes.Clone(chunks)
		if len(chunks) >= 8 && (chunks[0] == 0 || chunks[0] == 192) {
			binary.BigEndian.PutUint32(chunks[4:], next)
		}
		b.HandlePacket(seal(append(raw(tag), chunks...)))
		b.HandlePacket(seal(append(raw(0), chunks...))) // perhaps a restart
		b.HandlePacket(raw(tag, []byte{4, 0, 0, 0, 0, 1, 0, 8, 'd', 'o', 'n', 'e'}))
		eventually(t, "the answer", func() bool { // so that pion has seen all of it
			return toA.contains([]byte("done")) || b.State() == api.SCTPStateClosed
		})
		_ = b.Send(sctp.Message{StreamID: 1, PPID: 51, Data: []byte("x")}, ordered)
		b.ResetStreams(1, 2)
		a.halt()
		b.halt()
		require.Equal(t, api.SCTPStateClosed, b.State())
	})
}
