package main

import (
	"context"
	"crypto/rand"
	"log"
	"time"
)

// How soon a guest comes back, as the page does.
const (
	firstRetry = 300 * time.Millisecond
	lastRetry  = 4 * time.Second
)

var names = []string{
	"Ada Lovelace", "Grace Hopper", "Alan Turing", "Edsger Dijkstra", "Barbara Liskov", "Donald Knuth", "Radia Perlman", "Ken Thompson",
	"Frances Allen", "Niklaus Wirth", "Hedy Lamarr", "Claude Shannon", "Karen Spärck Jones", "Tony Hoare", "Vint Cerf",
}

// guest is one person.
type guest struct {
	number     int
	name       string
	tab        string // by which the server knows who comes back
	signalling string
	room       string
	insecure   bool
	loss       float64
	floor      *floor
	film       *film // nil if it has no camera
	voice      [][]byte
}

func newGuest(number int, f *floor) *guest {
	return &guest{number: number, name: names[number], tab: rand.Text(), floor: f}
}

// hasCamera: every third one has none, so that one sees what that looks like.
func (g *guest) hasCamera() bool { return g.number%3 != 2 }

// live gets ready, and is in the room until ctx is done. It returns an error if there is nothing to show.
func (g *guest) live(ctx context.Context) (err error) {
	if g.voice, err = speak(ctx, g.number); err != nil {
		return err
	}
	if g.hasCamera() {
		if g.film, err = draw(ctx, g.number); err != nil {
			return err
		}
	}
	g.visit(ctx)
	return nil
}

// visit stays in the room until ctx is done, and comes back as often as a stay ends before.
func (g *guest) visit(ctx context.Context) {
	for wait := firstRetry; ctx.Err() == nil; wait = min(2*wait, lastRetry) {
		joined, err := g.stay(ctx)
		if ctx.Err() == nil {
			log.Printf("%s joins again: %v", g.name, err)
		}
		if joined {
			wait = firstRetry
		}
		sleep(ctx, wait)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
