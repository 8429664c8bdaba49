package imports

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"

	"gazpacho/scaling/front"
)

// maxLine is the longest line in either direction, without its end.
const maxLine = 64 << 10

// question is what a process sends.
type question struct {
	Import *struct {
		RouterID   string `json:"routerId"`
		ProducerID string `json:"producerId"`
	} `json:"import"`
}

// told is what it gets. One field is set.
type told struct {
	Import *described        `json:"import,omitempty"`
	Error  *refusal          `json:"error,omitempty"`
	Event  front.ImportEvent `json:"event,omitempty"`
}

type described struct {
	ID            string        `json:"id"`
	Kind          string        `json:"kind"`
	RTPParameters rtpParameters `json:"rtpParameters"`
	Paused        bool          `json:"paused"`
}

type refusal struct {
	Code    front.ImportCode `json:"code"`
	Message string           `json:"message"`
}

var errTooLong = errors.New("a line has more than 64 KiB")

// ask reads what a process asks for.
func ask(r io.Reader) (routerID, producerID string, err error) {
	line, err := readLine(bufio.NewReaderSize(r, maxLine+1))
	if err != nil {
		return "", "", err
	}
	return parse(line)
}

// readLine returns a line without its end.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, errTooLong
	case err == nil:
		return line[:len(line)-1], nil
	case errors.Is(err, io.EOF) && len(line) > 0:
		return nil, io.ErrUnexpectedEOF
	}
	return nil, err
}

// parse reads a line that asks.
func parse(line []byte) (routerID, producerID string, err error) {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return "", "", err
	}
	if q.Import == nil || q.Import.RouterID == "" || q.Import.ProducerID == "" {
		return "", "", errors.New(`want {"import":{"routerId":"…","producerId":"…"}}`)
	}
	return q.Import.RouterID, q.Import.ProducerID, nil
}

// encode returns a line with its end.
func encode(t told) ([]byte, error) {
	line, err := json.Marshal(t)
	if err == nil && len(line) > maxLine {
		err = errTooLong
	}
	return append(line, '\n'), err
}
