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
	"gazpacho/engine/internal/enginetest"
	"gazpacho/engine/unit"
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
	a.CreateRouter("router")
	options := plainOptions()
	options.Comedia = true
	in := a.CreatePlain("router", "in", options)
	a.Produce("in", "producer", enginetest.Video(1111))
	for i := range consumers {
		p := enginetest.NewPeer(t)
		defer p.Conn.Close()
		id := fmt.Sprint("out", i)
		options := plainOptions()
		options.EnableSRTP = srtp
		connect := &api.PlainTransportConnectRequest{IP: "127.0.0.1", Port: new(p.Addr().Port())}
		if srtp {
			options.SRTPCryptoSuite = &suite
			connect.SRTPParameters = &api.SRTPParameters{CryptoSuite: suite, KeyBase64: base64.StdEncoding.EncodeToString(make([]byte, 28))}
		}
		a.CreatePlain("router", id, options)
		a.Must(id, api.MethodPlainTransportConnect, connect)
		a.Consume(id, "consumer"+id, "producer", 5000+unit.SSRC(i))
	}
	sender := enginetest.NewPeer(t)
	defer sender.Conn.Close()
	forwarded := func() uint64 {
		stats := a.Must("out0", api.MethodTransportGetStats, nil).(*api.PlainTransportGetStatsResponse)
		return stats.Base.RTPBytesSent / 1212
	}
	seq := unit.SeqNo(0)
	pace := time.NewTicker(time.Duration(burst) * time.Millisecond)
	defer pace.Stop()
	start, before := cpu(b), forwarded()
	for b.Loop() {
		for range burst {
			sender.Send(in.Tuple, keyFrame(1111, seq, 1188))
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
