package remote

import (
	"encoding/json"
	"errors"
	"fmt"

	"gazpacho/engine/api"
	"gazpacho/fbs"
	"gazpacho/scaling/placement"
	"gazpacho/scaling/session"
)

// The first byte of a payload says what follows.
const (
	payloadMessage = 'm' // a message of the worker protocol
	payloadControl = 'c' // a control in JSON
)

// control is a message beside the worker protocol. One field is set.
type control struct {
	Open  *Opening         `json:"open,omitempty"`  // front to node: the first message of a session
	State *placement.State `json:"load,omitempty"`  // node to front, droppable: once a second, and with answers that place something
	Log   string           `json:"log,omitempty"`   // node to front, droppable: a line as the worker protocol has them
	Event *event           `json:"event,omitempty"` // node to front: a notification of an internal event
	Nodes *nodeList        `json:"nodes,omitempty"` // node to front: who it is, and to those that watch, the cluster's nodes
	Watch bool             `json:"watch,omitempty"` // front to node: the front wants to be told of the cluster's nodes
	Find  *question        `json:"find,omitempty"`  // front to node: where is a producer of the front's tenant?
	Found *answer          `json:"found,omitempty"` // node to front: the answer
	Ended string           `json:"ended,omitempty"` // node to front: the worker has ended by itself, for this reason
}

// event is a notification that is none of mediasoup's, and has no body.
type event struct {
	HandlerID string    `json:"handlerId"`
	Event     api.Event `json:"event"`
}

// Opening is what a node has to know of an application to be its worker.
type Opening struct {
	Application string     `json:"application"`     // for logs and status
	Release     string     `json:"release"`         // of mediasoup, for logs and status
	Compat      api.Compat `json:"compat"`          // what its applications are used to
	RTCMinPort  uint16     `json:"rtcMinPort"`      // the worker's range of ports, 0 for the node's
	RTCMaxPort  uint16     `json:"rtcMaxPort"`      // likewise
	Certificate []byte     `json:"dtlsCertificate"` // in PEM; empty: the node makes one
	Key         []byte     `json:"dtlsPrivateKey"`  // likewise
	LogLevel    string     `json:"logLevel"`
	LogTags     []string   `json:"logTags"`
	// Tenant is whose the application is, as it says itself. It counts for one that has come by a unix socket, as the same user; for others
	// the node puts what their certificates say in its place.
	Tenant string `json:"tenant,omitempty"`
}

// codec turns payloads into messages and back. It is not safe for concurrent use.
type codec struct {
	dialect *fbs.Dialect
	encoder *fbs.Encoder
}

func newCodec() codec {
	d := fbs.Session()
	return codec{d, d.NewEncoder()}
}

// encode returns the payload for a message. One that is too long for the session is refused.
func (c *codec) encode(m api.MessageBody) ([]byte, error) {
	// The encoder puts the frame's length in front, as on the channel; a payload needs none, and its place is used for the kind.
	b, err := c.encoder.AppendMessage(nil, m)
	if err != nil {
		return nil, err
	}
	b = b[frameHeader-1:]
	b[0] = payloadMessage
	if most := session.DefaultLimits.MaxMessage; len(b) > most {
		return nil, fmt.Errorf("%w: it has %d bytes, the limit is %d", session.ErrTooLong, len(b), most)
	}
	return b, nil
}

// frameHeader is the length of what the encoder puts in front of a message.
const frameHeader = 4

func encodeControl(c control) []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("remote: a control cannot be encoded: %v", err)) // it is made of strings and numbers
	}
	return append([]byte{payloadControl}, b...)
}

// decode reads a payload: either a message or a control.
func (c *codec) decode(payload []byte) (m api.MessageBody, ctl *control, err error) {
	if len(payload) == 0 {
		return nil, nil, errors.New("empty payload")
	}
	switch payload[0] {
	case payloadMessage:
		m, err = c.dialect.DecodeMessage(payload[1:])
		return m, nil, err
	case payloadControl:
		ctl = &control{}
		return nil, ctl, json.Unmarshal(payload[1:], ctl)
	}
	return nil, nil, fmt.Errorf("payload of unknown kind %d", payload[0])
}
