package remote

import (
	"log/slog"
	"net"
	"strings"
	"time"

	"gazpacho/internal/crowd"
	"gazpacho/scaling/session"
)

// maxLooking is how many monitors a process that is no node talks to at once. Chosen here.
const maxLooking = 32

// ServeLooks answers the questions of monitors, and nothing else, on the listener of a unix socket until that is closed, and returns
// net.ErrClosed then. look is called from many goroutines, and bounds what they do.
func ServeLooks(l net.Listener, look func(question []byte) ([]byte, error), log *slog.Logger) error {
	slots := make(chan struct{}, maxLooking)
	for {
		slots <- struct{}{}
		c, err := crowd.Accept(l, log)
		if err != nil {
			return err
		}
		go func() {
			defer func() { <-slots }()
			defer c.Close()
			serveLook(c, look)
		}()
	}
}

func serveLook(c net.Conn, look func(question []byte) ([]byte, error)) {
	c.SetDeadline(time.Now().Add(strangerTime))
	if checkPeer(c) != nil {
		return
	}
	first, _, err := readFirst(c)
	if err != nil {
		return
	}
	answer := session.AppendRefusal(nil, session.RefuseVersion, "monitors only")
	if word, question, _ := strings.Cut(first.Query, " "); word == queryLook {
		answer = replyTo(question, look)
	}
	c.SetWriteDeadline(time.Now().Add(flushTime))
	c.Write(answer) // a monitor that has gone does not want it
}
