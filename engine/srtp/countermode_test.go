package srtp

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
)

func TestPacketIndex(t *testing.T) {
	type step struct {
		seq   unit.SeqNo
		index uint64
		err   error
	}
	for name, test := range map[string]struct {
		highest uint64 // 0: nothing sent yet
		steps   []step
	}{
		"starts at the sequence number": {0, []step{{60000, 60000, nil}, {60001, 60001, nil}}},
		"wraps":                         {65534, []step{{65535, 65535, nil}, {0, 65536, nil}, {1, 65537, nil}}},
		"late across the wrap":          {65536 + 3, []step{{65535, 65535, nil}, {4, 65540, nil}}},
		"before the first packet":       {5, []step{{65535, 0, ErrMalformed}, {6, 6, nil}}},
		"the last index":                {1<<48 - 2, []step{{65535, 1<<48 - 1, nil}, {0, 0, ErrKeyExhausted}, {65535, 1<<48 - 1, nil}}},
	} {
		t.Run(name, func(t *testing.T) {
			c := &counterModeSender{indexes: make(map[unit.SSRC]uint64)}
			if test.highest != 0 {
				c.indexes[1] = test.highest
			}
			for _, s := range test.steps {
				index, err := c.advance(1, s.seq)
				require.Equal(t, s.err, err)
				require.Equal(t, s.index, index)
			}
		})
	}
}

// In RFC 3711 appendix B.2 index and SSRC are 0, so the initial counter is the salt alone.
func TestCounterStart(t *testing.T) {
	c := &counterModeSender{salt: [16]byte{0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA, 0xFB, 0xFC, 0xFD}}
	c.setIV(0, 0)
	require.Equal(t, c.salt, c.iv)
	// RFC 3711 section 4.1.1: the SSRC is in bytes 4 to 7, the index in 8 to 13, followed by the block counter.
	c.salt = [16]byte{}
	c.setIV(0x01020304, 0x060708090A0B)
	require.Equal(t, [16]byte{4: 1, 2, 3, 4, 6, 7, 8, 9, 10, 11}, c.iv)
}

func TestKeyExhaustion(t *testing.T) {
	packet := make([]byte, 12+16)
	packet[0] = 0x80
	protect := func(s *Sender, seq uint16) error {
		binary.BigEndian.PutUint16(packet[2:], seq)
		_, err := s.ProtectRTP(packet, 12, 12)
		return err
	}
	for suite := range Suite(numSuites) {
		s, err := NewSender(suite, make([]byte, suite.KeyLen()+suite.SaltLen()))
		require.NoError(t, err)
		if s.cm != nil {
			s.cm.indexes[0] = (1<<32-1)<<16 | 65534
		} else {
			s.ctx.SetROC(0, 1<<32-1)
			require.NoError(t, protect(s, 65534))
		}
		require.NoError(t, protect(s, 65535))
		require.ErrorIs(t, protect(s, 0), ErrKeyExhausted, suite)

		s.ctx.SetIndex(0, 1<<31-1)
		_, err = s.ProtectRTCP(nil, []byte{0x80, 201, 0, 1, 0, 0, 0, 0})
		require.ErrorIs(t, err, ErrKeyExhausted)
	}
}

func TestAEADSenderRefusesAWrongExtensionLength(t *testing.T) {
	s, err := NewSender(AEADAES128GCM, make([]byte, 28))
	require.NoError(t, err)
	packet := make([]byte, 40)
	copy(packet, []byte{0x90, 96})
	copy(packet[12:], []byte{0xBE, 0xDE, 0, 100})
	_, err = s.ProtectRTP(packet, 20, 16)
	require.ErrorIs(t, err, ErrMalformed)
}
