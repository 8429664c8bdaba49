// Crowd is many people with browsers, stood in for by pion/webrtc: they come, speak, restart ICE, leave, or vanish without a word,
// as the soak test (node-harness/soak) tells them to. A request is a line of JSON on standard input, its answer one on standard output.
// Only the worker's side is of interest: what people hear goes no further than their sockets, where it is complained about.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

// request asks a person to do something.
type request struct {
	ID     int    `json:"id"` // of the answer
	Do     string `json:"do"` // come, speak, hush, restart, leave or vanish
	Person int    `json:"person"`
	Remote remote `json:"remote"` // for come and restart
	Habits habits `json:"habits"` // for come
	Stream int    `json:"stream"` // for speak and hush: an index of the person's SSRCs
}

// outcome is what the request has come to.
type outcome struct {
	ID          int      `json:"id"`
	Error       string   `json:"error,omitempty"`
	Fingerprint string   `json:"fingerprint,omitempty"` // SHA-256
	SSRCs       []uint32 `json:"ssrcs,omitempty"`       // of the streams that the person can send
}

// crowd are the people who are there, by number.
type crowd struct {
	mu     sync.Mutex
	people map[int]*person
}

func main() {
	c := crowd{people: map[int]*person{}}
	requests := bufio.NewScanner(os.Stdin)
	answers := outcomes{to: json.NewEncoder(os.Stdout)}
	for requests.Scan() {
		var r request
		if err := json.Unmarshal(requests.Bytes(), &r); err != nil {
			fmt.Fprintln(os.Stderr, "crowd:", err)
			os.Exit(1)
		}
		go func() { answers.send(c.do(r)) }() // people do not wait for each other
	}
}

type outcomes struct {
	mu sync.Mutex
	to *json.Encoder
}

func (o *outcomes) send(what outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.to.Encode(what) != nil {
		os.Exit(1) // who asked is gone
	}
}

func (c *crowd) do(r request) outcome {
	a := outcome{ID: r.ID}
	var err error
	if r.Do == "come" {
		err = c.come(r, &a)
	} else if p := c.find(r.Person, r.Do == "leave" || r.Do == "vanish"); p == nil {
		err = fmt.Errorf("there is no person %d", r.Person)
	} else {
		err = p.do(r)
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

// come has a person come, who begins to connect.
func (c *crowd) come(r request, a *outcome) error {
	p, err := newPerson(r.Habits)
	if err != nil {
		return err
	}
	if err := p.negotiate(r.Remote, nil); err != nil {
		p.leave()
		return err
	}
	c.mu.Lock()
	c.people[r.Person] = p
	c.mu.Unlock()
	a.Fingerprint, a.SSRCs = p.fingerprint, p.ssrcs()
	return nil
}

// find returns a person, for the last time if they go.
func (c *crowd) find(number int, goes bool) *person {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.people[number]
	if goes {
		delete(c.people, number)
	}
	return p
}
