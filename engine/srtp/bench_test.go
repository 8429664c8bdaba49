package srtp_test

import (
	"encoding/binary"
	"testing"
)

func BenchmarkProtectRTP(b *testing.B) {
	for _, s := range suites {
		b.Run(s.String(), func(b *testing.B) {
			sender, _ := pair(b, s)
			packet := append(rtpPacket(1, 0, string(make([]byte, 1200-headerLen))), make([]byte, 16)...)
			seq := uint16(0)
			b.ReportAllocs()
			for b.Loop() {
				seq++
				binary.BigEndian.PutUint16(packet[2:], seq)
				if _, err := sender.ProtectRTP(packet, 1200, headerLen); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUnprotectRTP(b *testing.B) {
	for _, s := range suites {
		b.Run(s.String(), func(b *testing.B) {
			sender, receiver := pair(b, s)
			packet := rtpPacket(1, 0, string(make([]byte, 1200-headerLen)))
			seq := uint16(0)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				seq++
				binary.BigEndian.PutUint16(packet[2:], seq)
				sealed := protect(b, sender, packet)
				b.StartTimer()
				if _, err := receiver.UnprotectRTP(sealed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
