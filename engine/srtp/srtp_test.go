package srtp_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	pion "github.com/pion/srtp/v3"
	"github.com/stretchr/testify/require"

	"gazpacho/engine/srtp"
	"gazpacho/engine/unit"
	"gazpacho/internal/fuzzseed"
)

var suites = []srtp.Suite{srtp.AEADAES256GCM, srtp.AEADAES128GCM, srtp.AESCM128HMACSHA180, srtp.AESCM128HMACSHA132}

var profiles = map[srtp.Suite]pion.ProtectionProfile{
	srtp.AEADAES256GCM:      pion.ProtectionProfileAeadAes256Gcm,
	srtp.AEADAES128GCM:      pion.ProtectionProfileAeadAes128Gcm,
	srtp.AESCM128HMACSHA180: pion.ProtectionProfileAes128CmHmacSha1_80,
	srtp.AESCM128HMACSHA132: pion.ProtectionProfileAes128CmHmacSha1_32,
}

// each runs a test for every suite.
func each(t *testing.T, test func(*testing.T, srtp.Suite)) {
	for _, s := range suites {
		t.Run(s.String(), func(t *testing.T) { test(t, s) })
	}
}

func keySalt(s srtp.Suite) []byte {
	b := make([]byte, s.KeyLen()+s.SaltLen())
	for i := range b {
		b[i] = byte(i*7 + 1)
	}
	return b
}

func pair(t testing.TB, s srtp.Suite) (*srtp.Sender, *srtp.Receiver) {
	sender, err := srtp.NewSender(s, keySalt(s))
	require.NoError(t, err)
	receiver, err := srtp.NewReceiver(s, keySalt(s))
	require.NoError(t, err)
	return sender, receiver
}

func pionContext(t *testing.T, s srtp.Suite) *pion.Context {
	key := keySalt(s)
	c, err := pion.CreateContext(key[:s.KeyLen()], key[s.KeyLen():], profiles[s])
	require.NoError(t, err)
	return c
}

const headerLen = 12 + 4 + 12

// rtpPacket returns a packet with a header extension.
func rtpPacket(ssrc uint32, seq uint16, payload string) []byte {
	b := make([]byte, headerLen)
	b[0], b[1] = 0x90, 111
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	copy(b[12:], []byte{0xBE, 0xDE, 0, 3, 0x10, 'm', 0x22, 1, 2, 3, 0x31, 4, 5})
	return append(b, payload...)
}

// rtcpPacket returns a receiver report without reports and a BYE.
func rtcpPacket(ssrc uint32) []byte {
	b := []byte{0x80, 201, 0, 1, 0, 0, 0, 0, 0x81, 203, 0, 1, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(b[4:], ssrc)
	binary.BigEndian.PutUint32(b[12:], ssrc)
	return b
}

func protect(t testing.TB, s *srtp.Sender, packet []byte) []byte {
	b := append(bytes.Clone(packet), make([]byte, srtp.MaxOverheadRTP)...)
	n, err := s.ProtectRTP(b, len(packet), headerLen)
	require.NoError(t, err)
	return b[:n]
}

func TestKeyLengths(t *testing.T) {
	// RFC 7714 section 12, RFC 4568 section 6.2.
	require.Equal(t, []int{32, 12}, []int{srtp.AEADAES256GCM.KeyLen(), srtp.AEADAES256GCM.SaltLen()})
	require.Equal(t, []int{16, 12}, []int{srtp.AEADAES128GCM.KeyLen(), srtp.AEADAES128GCM.SaltLen()})
	require.Equal(t, []int{16, 14}, []int{srtp.AESCM128HMACSHA180.KeyLen(), srtp.AESCM128HMACSHA180.SaltLen()})
	require.Equal(t, []int{16, 14}, []int{srtp.AESCM128HMACSHA132.KeyLen(), srtp.AESCM128HMACSHA132.SaltLen()})
	each(t, func(t *testing.T, s srtp.Suite) {
		for _, wrong := range [][]byte{nil, keySalt(s)[1:], append(keySalt(s), 0)} {
			_, err := srtp.NewSender(s, wrong)
			require.ErrorIs(t, err, srtp.ErrKeyLength)
			_, err = srtp.NewReceiver(s, wrong)
			require.ErrorIs(t, err, srtp.ErrKeyLength)
		}
	})
}

func TestRTPRoundTrip(t *testing.T) {
	each(t, func(t *testing.T, s srtp.Suite) {
		sender, receiver := pair(t, s)
		for seq, payload := range []string{"", "x", "sixteen bytes !!", "seventeen bytes !", string(make([]byte, 1400))} {
			packet := rtpPacket(7, uint16(seq), payload)
			sealed := protect(t, sender, packet)
			require.Len(t, sealed, len(packet)+s.OverheadRTP())
			require.Equal(t, packet[:headerLen], sealed[:headerLen], "the header stays in the clear")
			if payload != "" {
				require.NotEqual(t, packet[headerLen:], sealed[headerLen:len(packet)])
			}
			plain, err := receiver.UnprotectRTP(sealed)
			require.NoError(t, err)
			require.Equal(t, packet, plain)
			require.Same(t, &sealed[0], &plain[0], "in place")
		}
	})
}

func TestRTCPRoundTrip(t *testing.T) {
	each(t, func(t *testing.T, s srtp.Suite) {
		sender, receiver := pair(t, s)
		prefix := []byte("before")
		for range 3 {
			sealed, err := sender.ProtectRTCP(prefix, rtcpPacket(7))
			require.NoError(t, err)
			require.Equal(t, "before", string(sealed[:6]))
			sealed = sealed[6:]
			require.Len(t, sealed, len(rtcpPacket(7))+s.OverheadRTCP())
			plain, err := receiver.UnprotectRTCP(sealed)
			require.NoError(t, err)
			require.Equal(t, rtcpPacket(7), plain)
		}
		inPlace := append(make([]byte, 0, 100), rtcpPacket(8)...)
		sealed, err := sender.ProtectRTCP(inPlace[:0], inPlace)
		require.NoError(t, err)
		require.Same(t, &inPlace[0], &sealed[0])
		plain, err := receiver.UnprotectRTCP(sealed)
		require.NoError(t, err)
		require.Equal(t, rtcpPacket(8), plain)
	})
}

func TestAgreesWithPion(t *testing.T) {
	each(t, func(t *testing.T, s srtp.Suite) {
		sender, receiver := pair(t, s)
		encrypt, decrypt := pionContext(t, s), pionContext(t, s)
		// Late packets, and sequence numbers that wrap, which increments the roll-over counter.
		for _, seq := range []uint16{65000, 65530, 65529, 65535, 1, 65534, 0, 2, 30000, 62000, 62001, 40, 61999, 41} {
			packet := rtpPacket(1234, seq, "payload")
			want, err := encrypt.EncryptRTP(nil, packet, nil)
			require.NoError(t, err)
			got := protect(t, sender, packet)
			require.Equal(t, want, got, seq)

			plain, err := decrypt.DecryptRTP(nil, got, nil)
			require.NoError(t, err)
			require.Equal(t, packet, plain)
			plain, err = receiver.UnprotectRTP(want)
			if seq == 61999 { // behind 40, which is after a wrap, by more than the replay window
				require.ErrorIs(t, err, srtp.ErrReplayed)
				continue
			}
			require.NoError(t, err, seq)
			require.Equal(t, packet, plain)
		}
		want, err := encrypt.EncryptRTCP(nil, rtcpPacket(9), nil)
		require.NoError(t, err)
		got, err := sender.ProtectRTCP(nil, rtcpPacket(9))
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

func TestRetransmissionIsIdentical(t *testing.T) {
	each(t, func(t *testing.T, s srtp.Suite) {
		sender, _ := pair(t, s)
		first := protect(t, sender, rtpPacket(1, 65535, "a"))
		protect(t, sender, rtpPacket(1, 0, "b"))
		require.Equal(t, first, protect(t, sender, rtpPacket(1, 65535, "a")))
	})
}

// The session keys of RFC 3711 appendix B.3, seen through the keystream of a packet of zeros.
func TestCounterModeKnownAnswer(t *testing.T) {
	master, err := hex.DecodeString("E1F97A0D3E018BE0D64FA32C06DE4139" + "0EC675AD498AFEEBB6960B3AABE6")
	require.NoError(t, err)
	// Computed by OpenSSL with the session key C61E7A93744F39EE10734AFE3FF7A087, the session salt
	// 30CBBC08863D8C85D49DB34A9AE1 and the authentication key CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4 of that appendix.
	const keystream, tag = "2be34ec1aa665b55a6d3d3b36a61b7614c7e8ca529168cc28cf1282372b60644", "4f7432f29495f1b183bc"
	for suite, tagLen := range map[srtp.Suite]int{srtp.AESCM128HMACSHA180: 10, srtp.AESCM128HMACSHA132: 4} {
		sender, err := srtp.NewSender(suite, master)
		require.NoError(t, err)
		b := make([]byte, 12+32+16)
		copy(b, []byte{0x80, 96, 0x12, 0x34, 0, 0, 0, 0, 0xDE, 0xCA, 0xFB, 0xAD})
		n, err := sender.ProtectRTP(b, 12+32, 12)
		require.NoError(t, err)
		require.Equal(t, keystream+tag[:2*tagLen], hex.EncodeToString(b[12:n]))
	}
}

func TestReplays(t *testing.T) {
	each(t, func(t *testing.T, s srtp.Suite) {
		sender, receiver := pair(t, s)
		unprotect := func(b []byte) error { _, err := receiver.UnprotectRTP(bytes.Clone(b)); return err }
		var packets [][]byte
		for seq := range 1100 {
			packets = append(packets, protect(t, sender, rtpPacket(1, uint16(seq), "x")))
		}
		require.NoError(t, unprotect(packets[0]))
		require.ErrorIs(t, unprotect(packets[0]), srtp.ErrReplayed)
		require.NoError(t, unprotect(packets[100]))
		require.NoError(t, unprotect(packets[36]), "64 behind the newest is within the window")
		require.ErrorIs(t, unprotect(packets[36]), srtp.ErrReplayed)
		require.NoError(t, unprotect(packets[1099]))
		require.ErrorIs(t, unprotect(packets[1]), srtp.ErrReplayed, "older than the window")
		require.NoError(t, unprotect(packets[500]))

		sealed, err := sender.ProtectRTCP(nil, rtcpPacket(1))
		require.NoError(t, err)
		_, err = receiver.UnprotectRTCP(bytes.Clone(sealed))
		require.NoError(t, err)
		_, err = receiver.UnprotectRTCP(sealed)
		require.ErrorIs(t, err, srtp.ErrReplayed)
	})
}

func TestForgeriesChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, s srtp.Suite) {
		sender, receiver := pair(t, s)
		sealed := protect(t, sender, rtpPacket(1, 1, "payload"))
		for i := range sealed {
			forged := bytes.Clone(sealed)
			forged[i] ^= 1
			_, err := receiver.UnprotectRTP(forged)
			require.Error(t, err, "byte %d", i)
		}
		far := bytes.Clone(sealed)
		far[2] = 0xF0 // a forged sequence number must not move the window
		_, err := receiver.UnprotectRTP(far)
		require.ErrorIs(t, err, srtp.ErrAuthentication)
		_, err = receiver.UnprotectRTP(sealed)
		require.NoError(t, err)

		sealed, err = sender.ProtectRTCP(nil, rtcpPacket(1))
		require.NoError(t, err)
		for i := range sealed {
			forged := bytes.Clone(sealed)
			forged[i] ^= 1
			_, err = receiver.UnprotectRTCP(forged)
			require.Error(t, err, "byte %d", i)
		}
		_, err = receiver.UnprotectRTCP(sealed)
		require.NoError(t, err)
	})
}

func TestTruncatedPackets(t *testing.T) {
	each(t, func(t *testing.T, s srtp.Suite) {
		sender, receiver := pair(t, s)
		sealed := protect(t, sender, rtpPacket(1, 1, "payload"))
		for n := range sealed {
			_, err := receiver.UnprotectRTP(bytes.Clone(sealed[:n]))
			require.Error(t, err)
		}
		sealedRTCP, err := sender.ProtectRTCP(nil, rtcpPacket(1))
		require.NoError(t, err)
		for n := range sealedRTCP {
			_, err := receiver.UnprotectRTCP(bytes.Clone(sealedRTCP[:n]))
			require.Error(t, err)
		}
	})
}

func TestMalformedPackets(t *testing.T) {
	each(t, func(t *testing.T, s srtp.Suite) {
		sender, receiver := pair(t, s)
		change := func(at int, to ...byte) []byte {
			b := protect(t, sender, rtpPacket(1, 1, "payload that is long enough"))
			copy(b[at:], to)
			return b
		}
		for name, b := range map[string][]byte{
			"empty":                   {},
			"version 1":               change(0, 0x50),
			"15 CSRCs in 12 bytes":    change(0, 0x8F)[:12+s.OverheadRTP()],
			"extension too long":      change(14, 0xFF, 0xFF),
			"element too long":        change(16, 0x1F, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
			"header but no tag":       change(0)[:headerLen+s.OverheadRTP()-1],
			"encrypted header (9335)": change(12, 0xC0, 0xDE),
		} {
			_, err := receiver.UnprotectRTP(b)
			require.ErrorIs(t, err, srtp.ErrMalformed, name)
		}
		_, err := receiver.UnprotectRTCP(make([]byte, 100))
		require.ErrorIs(t, err, srtp.ErrMalformed)
	})
}

func TestSenderRefusesMalformedInput(t *testing.T) {
	each(t, func(t *testing.T, s srtp.Suite) {
		sender, _ := pair(t, s)
		b := append(rtpPacket(1, 1, "payload"), make([]byte, 16)...)
		for _, test := range []struct{ n, headerLen int }{{11, 11}, {40, 11}, {40, 41}, {cap(b) + 1, 12}} {
			_, err := sender.ProtectRTP(b, test.n, test.headerLen)
			require.ErrorIs(t, err, srtp.ErrMalformed)
		}
		_, err := sender.ProtectRTP(b[:35:35+s.OverheadRTP()-1], 35, headerLen)
		require.ErrorIs(t, err, srtp.ErrNoSpace)
		for _, plain := range [][]byte{nil, rtcpPacket(1)[:7], make([]byte, 8)} {
			dst, err := sender.ProtectRTCP([]byte("dst"), plain)
			require.ErrorIs(t, err, srtp.ErrMalformed)
			require.Equal(t, "dst", string(dst))
		}
	})
}

func TestSSRCsAreBounded(t *testing.T) {
	const s = srtp.AEADAES128GCM
	sender, receiver := pair(t, s)
	for ssrc := range uint32(2 * srtp.MaxSSRCs) { // forgeries create no state
		forged := protect(t, sender, rtpPacket(ssrc, 1, "x"))
		forged[len(forged)-1] ^= 1
		_, err := receiver.UnprotectRTP(forged)
		require.ErrorIs(t, err, srtp.ErrAuthentication)
	}
	rtp := func(ssrc uint32, seq uint16) error {
		_, err := receiver.UnprotectRTP(protect(t, sender, rtpPacket(ssrc, seq, "x")))
		return err
	}
	rtcp := func(ssrc uint32) error {
		sealed, err := sender.ProtectRTCP(nil, rtcpPacket(ssrc))
		require.NoError(t, err)
		_, err = receiver.UnprotectRTCP(sealed)
		return err
	}
	for ssrc := range uint32(srtp.MaxSSRCs) {
		require.NoError(t, rtp(ssrc, 1))
		require.NoError(t, rtcp(ssrc))
	}
	require.ErrorIs(t, rtp(srtp.MaxSSRCs, 1), srtp.ErrTooManySSRCs)
	require.NoError(t, rtp(0, 2), "known SSRCs still work")
	require.NoError(t, rtcp(srtp.MaxSSRCs))
	require.NoError(t, rtcp(0))
}

// A transport may live for days and see any number of streams. The state of SSRCs in use survives, also while their sequence
// numbers roll over; the state of others is dropped.
func TestSSRCsInUseOutliveAllOthers(t *testing.T) {
	const s = srtp.AEADAES128GCM
	const voice, video, generations = 1, 2, 4
	sender, receiver := pair(t, s)
	seq := uint16(65000)
	var passed []byte
	send := func(ssrc uint32, seq uint16) (sealed []byte, err error) {
		sealed = protect(t, sender, rtpPacket(ssrc, seq, "x"))
		_, err = receiver.UnprotectRTP(slices.Clone(sealed))
		if errors.Is(err, srtp.ErrTooManySSRCs) {
			receiver.Renew([]unit.SSRC{video, voice})
			_, err = receiver.UnprotectRTP(slices.Clone(sealed))
		}
		return sealed, err
	}
	rtcp := func(ssrc uint32) (sealed []byte, err error) {
		sealed, err = sender.ProtectRTCP(nil, rtcpPacket(ssrc))
		require.NoError(t, err)
		_, err = receiver.UnprotectRTCP(slices.Clone(sealed))
		return sealed, err
	}
	for i := range uint32(generations * srtp.MaxSSRCs) {
		sealed, err := send(100+i, 1)
		require.NoError(t, err)
		if i == srtp.MaxSSRCs+100 {
			passed = sealed
		}
		_, err = rtcp(100 + i)
		require.NoError(t, err)
		seq++
		sealed, err = send(voice, seq)
		require.NoError(t, err)
		_, err = receiver.UnprotectRTP(sealed)
		require.ErrorIs(t, err, srtp.ErrReplayed)
		if i > 2*srtp.MaxSSRCs {
			_, err = send(video, seq)
			require.NoError(t, err)
		}
		sealed, err = rtcp(voice)
		require.NoError(t, err)
		_, err = receiver.UnprotectRTCP(sealed)
		require.ErrorIs(t, err, srtp.ErrReplayed)
	}
	_, err := receiver.UnprotectRTP(passed)
	require.NoError(t, err, "a generation without an SSRC in use was dropped, so this replay is not recognized")
}

func TestAllocations(t *testing.T) {
	each(t, func(t *testing.T, s srtp.Suite) {
		sender, receiver := pair(t, s)
		b := append(rtpPacket(1, 0, string(make([]byte, 1200))), make([]byte, 16)...)
		n, seq := len(b)-16, uint16(0)
		allocations := testing.AllocsPerRun(100, func() {
			seq++
			binary.BigEndian.PutUint16(b[2:], seq)
			length, _ := sender.ProtectRTP(b, n, headerLen)
			_, _ = receiver.UnprotectRTP(b[:length])
		})
		if s == srtp.AEADAES128GCM || s == srtp.AEADAES256GCM {
			require.Zero(t, allocations)
		}
		require.LessOrEqual(t, allocations, 3.0)
	})
}

func FuzzUnprotect(tf *testing.F) {
	f := fuzzseed.New(tf, 1000)
	for i, s := range suites {
		sender, _ := pair(f, s)
		f.Add(byte(i), protect(f, sender, rtpPacket(1, 1, "payload")))
		sealed, _ := sender.ProtectRTCP(nil, rtcpPacket(1))
		f.Add(byte(i), sealed)
	}
	f.Fuzz(func(t *testing.T, i byte, b []byte) {
		s := suites[int(i)%len(suites)]
		sender, receiver := pair(t, s)
		for range 2 { // the second time it must be a replay
			if plain, err := receiver.UnprotectRTP(bytes.Clone(b)); err == nil {
				require.Len(t, plain, len(b)-s.OverheadRTP())
			}
			if plain, err := receiver.UnprotectRTCP(bytes.Clone(b)); err == nil {
				require.Len(t, plain, len(b)-s.OverheadRTCP())
			}
		}
		_, err := receiver.UnprotectRTP(bytes.Clone(b))
		require.Error(t, err)

		withRoom := append(bytes.Clone(b), make([]byte, srtp.MaxOverheadRTP)...)
		_, _ = sender.ProtectRTP(withRoom, len(b), 12)
		_, _ = sender.ProtectRTCP(nil, b)
	})
}
