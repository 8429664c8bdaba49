package metrics

import (
	"errors"
	"net/http"
	"net/http/pprof"
)

// ServeProfiles serves Go's profiles of this process at an address, which only this host may reach: they show what is in memory.
func ServeProfiles(a Address) (*Server, error) {
	if !a.local() {
		return nil, errors.New("profiles are for this host only: use a loopback address, or a folder for a unix socket")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return serve(a, mux, profileTime)
}
