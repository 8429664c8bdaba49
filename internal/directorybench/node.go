package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"gazpacho/engine/api"
	"gazpacho/scaling/bus"
	"gazpacho/scaling/directory"
	"gazpacho/scaling/identity"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/remote"
)

// nodeConfig is what a node is told.
type nodeConfig struct{ name, folder, listen, bus, join string }

// run is the process of a node, as gazpacho node makes one.
func (c *nodeConfig) run() error {
	credentials, err := identity.Load(c.folder, identity.Node, c.name)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	server := remote.NewServer(remote.ServerOptions{
		Name: c.name, Nodes: credentials.Client(identity.Node), Log: log,
		NewWorker: func(*remote.Opening, api.Emitter, *slog.Logger) (api.Worker, error) {
			return &stand{done: make(chan struct{})}, nil
		},
	})
	l, err := remote.Listen(c.listen)
	if err != nil {
		return err
	}
	self := membership.Node{Name: c.name, Incarnation: rand.Text(), Addresses: []string{l.Addr().String()}}
	member, err := bus.Join(context.Background(), bus.Options{
		Credentials: credentials, Serve: c.bus, Join: strings.Split(c.join, ","), Log: log,
		Self: func() membership.Node { return self }, Changed: server.HandleNodes, Receive: server.HandleMessage,
	})
	if err != nil {
		return err
	}
	server.SetMembers(member.Rows)
	server.JoinDirectory(directory.Member{Name: self.Name, Incarnation: self.Incarnation}, member)
	fmt.Println(l.Addr())
	return server.Serve(l, credentials.Server())
}

// stand is a worker that stands in for an engine: it accepts everything.
type stand struct{ done chan struct{} }

func (s *stand) HandleRequest(_ *api.Request, reply func(api.ResponseBody, error)) { reply(nil, nil) }
func (s *stand) HandleNotification(*api.Notification) error                        { return nil }
func (s *stand) RouterOf(string) string                                            { return "" }
func (s *stand) Load() api.Load                                                    { return api.Load{} }
func (s *stand) Done() <-chan struct{}                                             { return s.done }
func (s *stand) Err() error                                                        { return api.ErrClosed }
func (s *stand) Close()                                                            { close(s.done) }
