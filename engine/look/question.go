package look

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Subjects of questions.
const (
	AboutAll       = "all"       // answered with [All]
	AboutRooms     = "rooms"     // with [Rooms]
	AboutRoom      = "room"      // with a [Room]
	AboutTransport = "transport" // with a [Transport], with its history
)

// Question is what a monitor asks a process.
type Question struct {
	About     string `json:"about"`
	RoomID           // of all Routers: the one behind which to go on
	Transport string `json:"transport,omitempty"`
	After     string `json:"after,omitempty"` // of a Router: the transport behind which to go on
}

// Process is what answers.
type Process struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Release string `json:"release,omitempty"` // of mediasoup, that a worker's application has
	PID     int    `json:"pid"`
	Since   int64  `json:"since"` // when it was started, in seconds since 1970
}

// All answers a question about all.
type All struct {
	Process Process `json:"process"`
	Survey
}

// Rooms answers a question about all Routers.
type Rooms struct {
	Rooms []RoomSummary `json:"rooms"`
	More  bool          `json:"more,omitempty"`
}

// MaxQuestion is the longest question in bytes: what a node takes from a stranger, with what is around it.
const MaxQuestion = 480

// ParseQuestion reads a question. Its error is for whoever asks.
func ParseQuestion(b []byte) (q Question, err error) {
	if len(b) > MaxQuestion {
		return q, fmt.Errorf("a question of %d bytes: the limit is %d", len(b), MaxQuestion)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil {
		return Question{}, fmt.Errorf("a question that cannot be read: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Question{}, errors.New("more than a question")
	}
	return q, q.check()
}

func (q *Question) check() error {
	switch q.About {
	case AboutAll, AboutRooms:
		return nil
	case AboutRoom, AboutTransport:
		if q.Router == "" {
			return errors.New("a question about a Router that does not name it")
		}
		if q.About == AboutTransport && q.Transport == "" {
			return errors.New("a question about a transport that does not name it")
		}
		return nil
	}
	return fmt.Errorf("a question about %.20q: there are answers about all, rooms, a room and a transport", q.About)
}

// Append returns the question in bytes. It fails if names are too long.
func (q *Question) Append() ([]byte, error) {
	b, err := json.Marshal(q)
	if err == nil && len(b) > MaxQuestion {
		err = errors.New("names that are too long")
	}
	return b, err
}
