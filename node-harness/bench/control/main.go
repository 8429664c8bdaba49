//go:build linux

// Command control is the driver of the control benchmark: it starts a worker like the Node library, with a channel over file
// descriptors 3 and 4, writes requests without waiting for answers, and prints the costs as one JSON array. The worker is
// the bottleneck: requests are encoded before the clock starts, and answers are decoded after it stops.
//
//	control -worker bin/mediasoup-worker -transports 4000 -requests 100000
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"gazpacho/engine/api"
)

// step is the cost of one kind of request.
type step struct {
	Name     string  `json:"name"`
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`
	CPU      float64 `json:"cpu"` // seconds of the worker process, all threads
}

// release is the release of mediasoup whose schema the driver uses.
const release = "3.27.1"

func main() {
	binary := flag.String("worker", "bin/mediasoup-worker", "worker binary")
	transports := flag.Int("transports", 4000, "WebRtcTransports on one WebRtcServer")
	requests := flag.Int("requests", 100000, "requests for the pipelined figures")
	flag.Parse()
	steps, err := run(*binary, *transports, *requests)
	if err != nil {
		fmt.Fprintln(os.Stderr, "control:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(steps); err != nil {
		os.Exit(1)
	}
}

func run(binary string, transports, requests int) ([]step, error) {
	w, err := start(binary)
	if err != nil {
		return nil, err
	}
	defer w.stop()
	if err := w.prepare(); err != nil {
		return nil, err
	}
	var steps []step
	for _, s := range plan(transports, requests) {
		done, err := w.measure(s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		steps = append(steps, done)
	}
	return steps, nil
}

// work is a step to measure: count requests, made by request from their index.
type work struct {
	name    string
	count   int
	request func(i int) api.Request
}

func plan(transports, requests int) []work {
	id := func(i int) string { return fmt.Sprintf("transport-%026d", i%transports) }
	return []work{
		{"worker.dump", requests, func(int) api.Request {
			return api.Request{Method: api.MethodWorkerDump}
		}},
		{"router.createWebRtcTransportWithServer", transports, func(i int) api.Request {
			return api.Request{
				Method: api.MethodRouterCreateWebRtcTransportWithServer, HandlerID: routerID, Body: transport(id(i)),
			}
		}},
		{"transport.dump", requests, func(i int) api.Request {
			return api.Request{Method: api.MethodTransportDump, HandlerID: id(i)}
		}},
		{"transport.getStats", requests, func(i int) api.Request {
			return api.Request{Method: api.MethodTransportGetStats, HandlerID: id(i)}
		}},
		{"transport.setMaxIncomingBitrate", requests, func(i int) api.Request {
			return api.Request{
				Method: api.MethodTransportSetMaxIncomingBitrate, HandlerID: id(i),
				Body: &api.TransportSetMaxIncomingBitrateRequest{MaxIncomingBitrate: 1_500_000},
			}
		}},
		{"router.closeTransport", transports, func(i int) api.Request {
			return api.Request{
				Method: api.MethodRouterCloseTransport, HandlerID: routerID,
				Body: &api.RouterCloseTransportRequest{TransportID: id(i)},
			}
		}},
	}
}

// Ids of the router and server that all transports share, as long as those of the Node library.
const (
	routerID = "router-000000000000000000000000000000"
	serverID = "server-000000000000000000000000000000"
)

// transport returns the request that the Node library sends for a transport behind a WebRtcServer with SCTP enabled.
func transport(id string) *api.RouterCreateWebRtcTransportRequest {
	return &api.RouterCreateWebRtcTransportRequest{
		TransportID: id,
		Options: &api.WebRtcTransportOptions{
			Base: &api.TransportOptions{
				InitialAvailableOutgoingBitrate: new(uint64(600_000)), EnableSCTP: true, IsDataChannel: true,
				MaxSendMessageSize: 262144, MaxReceiveMessageSize: 262144,
				SCTPSendBufferSize: 2_000_000, SCTPPerStreamSendQueueLimit: 2_000_000, SCTPMaxReceiverWindowBufferSize: 5 << 20,
			},
			Listen:    &api.ListenServer{WebRtcServerID: serverID},
			EnableUDP: true, EnableTCP: true, PreferUDP: true, ICEConsentTimeout: 30,
		},
	}
}

// prepare creates the router and the WebRtcServer.
func (w *worker) prepare() error {
	_, err := w.measure(work{"", 1, func(int) api.Request {
		return api.Request{
			Method: api.MethodWorkerCreateWebRtcServer,
			Body: &api.WorkerCreateWebRtcServerRequest{WebRtcServerID: serverID, ListenInfos: []api.ListenInfo{
				listenInfo(api.ProtocolUDP), listenInfo(api.ProtocolTCP),
			}},
		}
	}})
	if err != nil {
		return err
	}
	_, err = w.measure(work{"", 1, func(int) api.Request {
		return api.Request{Method: api.MethodWorkerCreateRouter, Body: &api.WorkerCreateRouterRequest{RouterID: routerID}}
	}})
	return err
}

func listenInfo(p api.Protocol) api.ListenInfo {
	return api.ListenInfo{Protocol: p, IP: "127.0.0.1", PortRange: &api.PortRange{}, Flags: &api.SocketFlags{}}
}

// measure sends all requests of a step and waits for all answers.
func (w *worker) measure(s work) (step, error) {
	frames, err := w.encode(s)
	if err != nil {
		return step{}, err
	}
	cpu, err := w.cpu()
	if err != nil {
		return step{}, err
	}
	start := time.Now()
	answers, err := w.exchange(frames, s.count)
	seconds := time.Since(start).Seconds()
	if err != nil {
		return step{}, err
	}
	after, err := w.cpu()
	if err != nil {
		return step{}, err
	}
	return step{s.name, s.count, seconds, after - cpu}, w.check(answers)
}
