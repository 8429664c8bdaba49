package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"gazpacho/scaling/bus"
	"gazpacho/scaling/membership"
	"gazpacho/scaling/steering"
)

// steeringConfig is what the options say of signals for those who start and stop nodes.
type steeringConfig struct {
	webhook, secretFile string
	idleAfter           time.Duration
	hook                *steering.Webhook // nil: none
	steered             steered
}

func (c *steeringConfig) define(s *settings) {
	s.flags.StringVar(&c.webhook, "webhook", "", "`URL` that is told when the cluster is short of capacity, or a node is idle or drained")
	s.flags.StringVar(&c.secretFile, "webhook-secret-file", "", "`file` with the secret, of 16 bytes at least, that the webhook's requests are signed with")
	s.flags.DurationVar(&c.idleAfter, "idle-after", steering.DefaultIdleAfter, "`time` without a transport after which a node is idle")
}

// openWebhook makes the webhook, if there is to be one.
func (c *nodeConfig) openWebhook() error {
	switch {
	case c.webhook == "" && c.secretFile == "":
		return nil
	case c.webhook == "" || c.secretFile == "":
		return usagef("--webhook and --webhook-secret-file belong together")
	case !c.joins():
		return usagef("--webhook is for nodes of a cluster: set --join or --bus-url")
	}
	secret, err := os.ReadFile(c.secretFile)
	if err != nil {
		return fmt.Errorf("--webhook-secret-file: %w", err)
	}
	if c.hook, err = steering.NewWebhook(c.webhook, bytes.TrimSpace(secret)); err != nil {
		return usagef("--webhook: %w", err)
	}
	return nil
}

// steered is the node's part in steering, which begins when the node has joined its cluster.
type steered struct {
	steerer atomic.Pointer[steering.Steerer]
}

func (s *steered) begin(c *nodeConfig, node *bus.Node, log *slog.Logger) {
	s.steerer.Store(steering.NewSteerer(steering.SteererOptions{
		Name: c.name, Rows: node.Rows, Changed: node.Update, Webhook: c.hook, IdleAfter: c.idleAfter, Log: log,
	}))
}

// describe fills in what the node says of itself.
func (s *steered) describe(n *membership.Node) {
	if steerer := s.steerer.Load(); steerer != nil {
		steerer.Describe(n)
	}
}

// figures returns what is known of the cluster's capacity: nothing before the node has joined one.
func (s *steered) figures() (f steering.Figures) {
	if steerer := s.steerer.Load(); steerer != nil {
		f = steerer.Figures()
	}
	return f
}

func (s *steered) close() { s.steerer.Load().Close() }
