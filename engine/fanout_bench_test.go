package engine_test

import (
	"encoding/base64"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/engine"
	"gazpacho/engine/api"
)

// BenchmarkFanOut forwards bursts of ten packets of 1200 bytes to fifty consumers on transports of their own, through
// real sockets, and reports the CPU time of the whole process per forwarded packet. The receivers' side is in it too,
// as far as the kernel delivers in the sender's system call; nobody reads.
func BenchmarkFanOut(b *testing.B) {
	suite := api.SRTPCryptoSuiteAEADAES128GCM
	for name, srtp := range map[string]bool{"plain": false, "gcm": true} {
		for _, burst := range []int{10, 1} {
			b.Run(fmt.Sprintf("%s/burst=%d", name, burst), func(b *testing.B) { benchmarkFanOut(b, srtp, suite, burst) })
		}
	}
}

func benchmarkFanOut(b *testing.B, srtp bool, suite api.SRTPCryptoSuite, burst int) {
	const consumers = 50
	t := &testing.T{}
	a := newApp(t, engine.Options{})
	defer a.worker.Close()
	a.router("router")
	options := plainOptions()
	options.Comedia = true
	in := a.plain("router", "in", options)
	a.produce("in", "producer", api.MediaKindVideo, video(1111))
	for i := range consumers {
		p := newPeer(t)
		defer p.conn.Close()
		id := fmt.Sprint("out", i)
		options := plainOptions()
		options.EnableSRTP = srtp
		connect := &api.PlainTransportConnectRequest{IP: "127.0.0.1", Port: new(p.addr().Port())}
		if srtp {
			options.SRTPCryptoSuite = &suite
			connect.SRTPParameters = &api.SRTPParameters{CryptoSuite: suite, KeyBase64: base64.StdEncoding.EncodeToString(make([]byte, 28))}
		}
		a.plain("router", id, options)
		a.must(id, api.MethodPlainTransportConnect, connect)
		a.consume(id, "consumer"+id, "producer", api.MediaKindVideo, 1111, 5000+uint32(i))
	}
	sender := newPeer(t)
	defer sender.conn.Close()
	forwarded := func() uint64 {
		stats := a.must("out0", api.MethodTransportGetStats, nil).(*api.PlainTransportGetStatsResponse)
		return stats.Base.RTPBytesSent / 1212
	}
	seq := uint16(0)
	pace := time.NewTicker(time.Duration(burst) * time.Millisecond)
	defer pace.Stop()
	start, before := cpu(b), forwarded()
	for b.Loop() {
		for range burst {
			sender.send(in.Tuple, packetOf(1111, seq, 1188))
			seq++
		}
		<-pace.C
	}
	b.ReportMetric(float64(cpu(b)-start)/float64(consumers*(forwarded()-before)), "cpu-ns/forward")
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
