package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"sync"
	"syscall"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("guest: ")
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	go endWith(os.Stdin, cancel)
	if err := run(ctx, os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

// endWith calls end when a reader ends: a parent's death closes its end of a pipe, however it died.
func endWith(r io.Reader, end func()) {
	_, _ = io.Copy(io.Discard, r)
	end()
}

// run lets guests stay until ctx is done.
func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("guest", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: guest [options] ADDRESS\nADDRESS is that of a room's page, such as http://localhost:3000/demo")
		flags.PrintDefaults()
	}
	count := flags.Int("count", 1, fmt.Sprint("so many `guests`, up to ", len(names)))
	loss := flags.Float64("loss", 0, "`share` of the packets sent to the last guest that it loses, such as 0.1")
	insecure := flags.Bool("insecure", false, "accept any certificate of the server, such as one that signs itself")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case flags.NArg() != 1:
		flags.Usage()
		return errors.New("one address is needed")
	case *count < 1 || *count > len(names):
		return fmt.Errorf("-count %d: a number from 1 to %d is needed", *count, len(names))
	case *loss < 0 || *loss >= 1:
		return fmt.Errorf("-loss %g: a share of at least 0 and less than 1 is needed", *loss)
	}
	signalling, room, err := whereIs(flags.Arg(0))
	if err != nil {
		return err
	}
	all := &floor{guests: *count}
	go all.obey(ctx)
	guests := make([]*guest, *count)
	for i := range guests {
		guests[i] = newGuest(i, all)
		guests[i].signalling, guests[i].room, guests[i].insecure = signalling, room, *insecure
	}
	guests[*count-1].loss = *loss
	return welcome(ctx, guests)
}

// welcome has all guests live until ctx is done. It returns an error if one cannot.
func welcome(ctx context.Context, guests []*guest) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var left sync.WaitGroup
	for _, g := range guests {
		left.Go(func() {
			if err := g.live(ctx); err != nil {
				cancel(err)
			}
		})
	}
	left.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

var roomPath = regexp.MustCompile(`^/([a-z0-9-]+)$`)

// whereIs returns where the WebSocket of a room's page is, and the name of the room.
func whereIs(page string) (signalling, room string, err error) {
	address, err := url.Parse(page)
	if err != nil {
		return "", "", err
	}
	path := roomPath.FindStringSubmatch(address.Path)
	scheme := map[string]string{"http": "ws", "https": "wss"}[address.Scheme]
	if path == nil || scheme == "" {
		return "", "", fmt.Errorf("%s: an address such as http://localhost:3000/demo is needed", page)
	}
	return (&url.URL{Scheme: scheme, Host: address.Host, Path: "/signalling"}).String(), path[1], nil
}
