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
	Import *wanted `json:"import"`
}

// wanted is a producer or a data producer, and where it is wanted.
type wanted struct {
	RouterID       string `json:"routerId"`
	ProducerID     string `json:"producerId"`
	DataProducerID string `json:"dataProducerId"`
}

// told is what it gets. One field is set.
type told struct {
	Import any               `json:"import,omitempty"` // described or describedData
	Error  *refusal          `json:"error,omitempty"`
	Event  front.ImportEvent `json:"event,omitempty"`
}

type described struct {
	ID            string        `json:"id"`
	Kind          string        `json:"kind"`
	RTPParameters rtpParameters `json:"rtpParameters"`
	Paused        bool          `json:"paused"`
}

type describedData struct {
	ID                   string                `json:"id"`
	SCTPStreamParameters *sctpStreamParameters `json:"sctpStreamParameters"`
	Label                string                `json:"label"`
	Protocol             string                `json:"protocol"`
	Paused               bool                  `json:"paused"`
}

type refusal struct {
	Code    front.ImportCode `json:"code"`
	Message string           `json:"message"`
}

var errTooLong = errors.New("a line has more than 64 KiB")

// ask reads what a process asks for.
func ask(r io.Reader) (*wanted, error) {
	line, err := readLine(bufio.NewReaderSize(r, maxLine+1))
	if err != nil {
		return nil, err
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
func parse(line []byte) (*wanted, error) {
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return nil, err
	}
	w := q.Import
	if w == nil || w.RouterID == "" || (w.ProducerID == "") == (w.DataProducerID == "") {
		return nil, errors.New(`want {"import":{"routerId":"…","producerId":"…"}}, or "dataProducerId"`)
	}
	return w, nil
}

// encode returns a line with its end.
func encode(t told) ([]byte, error) {
	line, err := json.Marshal(t)
	if err == nil && len(line) > maxLine {
		err = errTooLong
	}
	return append(line, '\n'), err
}
