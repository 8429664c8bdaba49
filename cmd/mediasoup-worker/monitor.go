package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gazpacho/channel"
	"gazpacho/engine/look"
	"gazpacho/metrics"
	"gazpacho/monitor/watched"
	"gazpacho/scaling/remote"
)

// watch lets monitors look at the worker by a socket in the folder that the environment names. An error means that the environment is
// wrong; a socket that cannot be made is logged.
func (s *shown) watch(release string, ch *channel.Channel) error {
	text := os.Getenv(monitorEnv)
	if text == "" {
		return nil
	}
	folder, ok := strings.CutPrefix(text, "unix:")
	if !ok || !filepath.IsAbs(folder) {
		return fmt.Errorf("%s: invalid value '%s': want unix: and the absolute path of a folder", monitorEnv, text)
	}
	l, err := metrics.ListenInFolder(folder, watched.SocketSuffix)
	if err != nil {
		ch.Logger().Error("no monitor can look at the worker", "folder", folder, "error", err)
		return nil
	}
	w := watched.New(s.host, look.Process{
		Name: fmt.Sprint("worker ", os.Getpid()), Version: version, Release: release, PID: os.Getpid(), Since: time.Now().Unix(),
	})
	go remote.ServeLooks(l, w.Answer, ch.Logger())
	s.watched = &watching{l, w}
	return nil
}

// watching is what answers monitors.
type watching struct {
	listener net.Listener
	watched  *watched.Watched
}

// Close implements io.Closer.
func (w *watching) Close() error {
	w.watched.Close()
	return w.listener.Close()
}
