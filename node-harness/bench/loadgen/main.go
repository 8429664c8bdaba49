//go:build linux

// Command loadgen is the load generator of the fan-out benchmark: one RTP sender and many receivers that only count.
//
// It is controlled over stdin and stdout, one JSON object per line. It first prints the ports it receives on, and the
// present cost of one sendto and one AES-GCM seal on this machine; then it answers each run with what it sent and received.
//
//	loadgen -receivers 200
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

type hello struct {
	Ports    []int   `json:"ports"`
	SendtoUs float64 `json:"sendtoUs"` // one sendto of PacketSize bytes, in microseconds
	SealUs   float64 `json:"sealUs"`   // one AES-128-GCM seal of PacketSize bytes, in microseconds
}

// run is one request: send Rate packets per second for Seconds, Burst at a time.
type run struct {
	To          string  `json:"to"` // the worker's address:port
	SSRC        uint32  `json:"ssrc"`
	PayloadType uint8   `json:"payloadType"`
	Rate        int     `json:"rate"`
	Burst       int     `json:"burst"`
	Seconds     float64 `json:"seconds"`
	PacketSize  int     `json:"packetSize"` // bytes of each RTP packet before SRTP
	Key         string  `json:"key"`        // base64 of key and salt for AEAD_AES_128_GCM; empty: plain RTP
}

type result struct {
	Sent     int `json:"sent"`     // packets given to the worker
	Received int `json:"received"` // RTP packets that arrived at all receivers together
	Least    int `json:"least"`    // RTP packets at the receiver that got the fewest
}

// A run ends when no packet has arrived for quiet or, in case the worker never stops sending, after patience.
const (
	quiet    = 300 * time.Millisecond
	patience = 5 * time.Second
)

func main() {
	receivers := flag.Int("receivers", 50, "number of receiving sockets")
	packetSize := flag.Int("packet-size", 1200, "bytes per packet for the calibration")
	flag.Parse()
	if err := serve(*receivers, *packetSize); err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}

func serve(receivers, packetSize int) error {
	cost, err := calibrate(packetSize)
	if err != nil {
		return err
	}
	sink, err := newSink(receivers)
	if err != nil {
		return err
	}
	sender, err := newSender()
	if err != nil {
		return err
	}
	go sink.loop()

	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(hello{sink.ports, cost.sendto, cost.seal}); err != nil {
		return err
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var r run
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			return err
		}
		before := sink.counts()
		sent, err := sender.run(r)
		if err != nil {
			return err
		}
		if err := out.Encode(summarise(sent, before, settled(sink))); err != nil {
			return err
		}
	}
	return in.Err()
}

// settled returns the counts once they no longer change.
func settled(s *sink) []int {
	counts := s.counts()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		time.Sleep(quiet)
		now := s.counts()
		if slices.Equal(now, counts) {
			break
		}
		counts = now
	}
	return counts
}

func summarise(sent int, before, after []int) result {
	r := result{Sent: sent, Least: -1}
	for i := range after {
		n := after[i] - before[i]
		r.Received += n
		if r.Least < 0 || n < r.Least {
			r.Least = n
		}
	}
	return r
}
