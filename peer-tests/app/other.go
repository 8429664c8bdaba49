package app

import (
	"fmt"
	"net/netip"
	"os"
	"time"

	"gazpacho/engine/api"
)

// NewPlainPort creates a PlainTransport that waits for its peer and returns its port.
func (r *Router) NewPlainPort() uint16 {
	r.t.Helper()
	info := Listen(api.ProtocolUDP)[0]
	d := r.Do(api.MethodRouterCreatePlainTransport, r.ID, &api.RouterCreatePlainTransportRequest{
		TransportID: newID("transport"),
		Options:     &api.PlainTransportOptions{Base: &api.TransportOptions{}, ListenInfo: &info, RTCPMux: true, Comedia: true},
	}).(*api.PlainTransportDumpResponse)
	return d.Tuple.LocalPort
}

// NewPlainTransport creates a PlainTransport that sends to an address, in clear. It serves for consuming only.
func (r *Router) NewPlainTransport(info api.ListenInfo, to netip.AddrPort) *Transport {
	r.t.Helper()
	t := &Transport{Router: r, ID: newID("transport")}
	r.Do(api.MethodRouterCreatePlainTransport, r.ID, &api.RouterCreatePlainTransportRequest{
		TransportID: t.ID,
		Options:     &api.PlainTransportOptions{Base: &api.TransportOptions{}, ListenInfo: &info, RTCPMux: true},
	})
	r.Do(api.MethodPlainTransportConnect, t.ID, &api.PlainTransportConnectRequest{IP: to.Addr().String(), Port: new(to.Port())})
	return t
}

// NewPipePort creates a PipeTransport and returns its port.
func (r *Router) NewPipePort() uint16 {
	r.t.Helper()
	info := Listen(api.ProtocolUDP)[0]
	d := r.Do(api.MethodRouterCreatePipeTransport, r.ID, &api.RouterCreatePipeTransportRequest{
		TransportID: newID("transport"),
		Options:     &api.PipeTransportOptions{Base: &api.TransportOptions{}, ListenInfo: &info},
	}).(*api.PipeTransportDumpResponse)
	return d.Tuple.LocalPort
}

// Descriptors returns how many file descriptors the worker has open.
func (w *Worker) Descriptors() int {
	w.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", w.PID()))
	if err != nil {
		w.t.Fatalf("counting descriptors: %v", err)
	}
	return len(entries)
}

// Eventually polls until a condition holds for which there is no notification, or fails the test.
func (w *Worker) Eventually(what string, holds func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(Patience)
	for !holds() {
		if time.Now().After(deadline) {
			w.t.Fatalf("timeout waiting for %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
