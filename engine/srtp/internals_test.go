package srtp_test

import (
	"testing"

	"github.com/pion/rtp"
	pion "github.com/pion/srtp/v3"
	"github.com/stretchr/testify/require"
)

// TestPionInternals checks what this package takes from pion although pion does not promise it. When it fails after an update
// of pion, read what the failed part names before anything else is changed.
func TestPionInternals(t *testing.T) {
	for _, s := range suites {
		packet := rtpPacket(0x01020304, 5, "payload of an internal test")
		encrypted, err := pionContext(t, s).EncryptRTP(nil, packet, nil)
		require.NoError(t, err)
		forged := append([]byte(nil), encrypted...)
		forged[len(forged)-1] ^= 1
		t.Run(s.String()+": DecryptRTP and EncryptRTP parse the header themselves, whatever is in the one given", func(t *testing.T) {
			stale := rtp.Header{Version: 1, SSRC: 9, SequenceNumber: 9, CSRC: []uint32{1, 2}, Extension: true, ExtensionProfile: 0xC0DE}
			header := stale
			plain, err := pionContext(t, s).DecryptRTP(append([]byte(nil), encrypted...), encrypted, &header)
			require.NoError(t, err)
			require.Equal(t, packet, plain)
			require.Equal(t, uint32(0x01020304), header.SSRC)
			require.Empty(t, header.CSRC)

			header = stale
			again, err := pionContext(t, s).EncryptRTP(nil, packet, &header)
			require.NoError(t, err)
			require.Equal(t, encrypted, again)
			require.Equal(t, uint32(0x01020304), header.SSRC, "Sender.refusal needs it")
		})
		t.Run(s.String()+": DecryptRTP in place returns a prefix", func(t *testing.T) {
			b := append([]byte(nil), encrypted...)
			plain, err := pionContext(t, s).DecryptRTP(b, b, &rtp.Header{})
			require.NoError(t, err)
			require.Same(t, &b[0], &plain[0])
			require.Equal(t, packet, plain)
		})
		t.Run(s.String()+": ROC and Index know an SSRC after an authentic packet only", func(t *testing.T) {
			c := pionContext(t, s)
			_, err := c.DecryptRTP(nil, forged, &rtp.Header{})
			require.ErrorIs(t, err, pion.ErrFailedToVerifyAuthTag)
			_, known := c.ROC(0x01020304)
			require.False(t, known)
			_, err = c.DecryptRTP(nil, encrypted, &rtp.Header{})
			require.NoError(t, err)
			_, known = c.ROC(0x01020304)
			require.True(t, known)

			report, err := pionContext(t, s).EncryptRTCP(nil, rtcpPacket(7), nil)
			require.NoError(t, err)
			report[len(report)-1] ^= 1 // of the index or the tag
			_, err = c.DecryptRTCP(nil, report, nil)
			require.ErrorIs(t, err, pion.ErrFailedToVerifyAuthTag)
			_, known = c.Index(7)
			require.False(t, known)
			report[len(report)-1] ^= 1
			_, err = c.DecryptRTCP(nil, report, nil)
			require.NoError(t, err)
			_, known = c.Index(7)
			require.True(t, known)
		})
		t.Run(s.String()+": SetROC and SetIndex set what the next packet uses", func(t *testing.T) {
			c := pionContext(t, s)
			c.SetROC(0x01020304, 1)
			rolled, err := c.EncryptRTP(nil, packet, nil)
			require.NoError(t, err)
			require.NotEqual(t, encrypted, rolled)
			_, err = pionContext(t, s).DecryptRTP(nil, rolled, nil)
			require.ErrorIs(t, err, pion.ErrFailedToVerifyAuthTag)
			receiver := pionContext(t, s)
			receiver.SetROC(0x01020304, 1)
			plain, err := receiver.DecryptRTP(nil, rolled, nil)
			require.NoError(t, err)
			require.Equal(t, packet, plain)
			c.SetIndex(7, 1<<31-1)
			_, err = c.EncryptRTCP(nil, rtcpPacket(7), nil)
			require.Error(t, err, "Sender.ProtectRTCP calls this ErrKeyExhausted")
		})
	}
}
