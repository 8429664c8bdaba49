package main

import (
	"io"
	"net"

	"gazpacho/channel"
	"gazpacho/engine/api"
	"gazpacho/fbs"
	"gazpacho/internal/unixsocket"
	"gazpacho/scaling/imports"
)

// serveImports lets the application's process ask for producers of other applications, by a unix socket. Without it calls go on, so
// what is wrong with it is only logged.
func (c *cluster) serveImports(dialect *fbs.Dialect, ch *channel.Channel) io.Closer {
	l, err := listenForImports()
	if err != nil {
		ch.Logger().Error("producers of other applications cannot be asked for", "error", err)
		return io.NopCloser(nil)
	}
	ch.Logger().Debug("producers of other applications can be asked for", channel.TagKey, "info", "at", l.Addr())
	return imports.Serve(l, imports.Options{Front: c.Front, Knows: func(uri api.RTPHeaderExtensionURI) bool { return hasURI(dialect, uri) }, Log: ch.Logger()})
}

func listenForImports() (net.Listener, error) {
	folder, err := imports.Folder()
	if err != nil {
		return nil, err
	}
	imports.Sweep(folder)
	return unixsocket.Listen(imports.Socket(folder))
}

// hasURI reports whether the application's release has a word for a header extension.
func hasURI(dialect *fbs.Dialect, uri api.RTPHeaderExtensionURI) bool {
	_, err := dialect.NewEncoder().AppendMessage(nil, &api.Request{
		ID: 1, Method: api.MethodTransportProduce, Body: &api.TransportProduceRequest{
			RTPMapping: &api.RTPMapping{},
			RTPParameters: &api.RTPParameters{
				RTCP: &api.RTCPParameters{}, HeaderExtensions: []api.RTPHeaderExtensionParameters{{URI: uri}},
			},
		},
	})
	return err == nil
}
