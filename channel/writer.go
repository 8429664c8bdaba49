package channel

import (
	"io"
	"log/slog"
	"strings"
)

// write sends the contents of the outbox until it is closed and empty. The error is that of w.
func (o *outbox) write(w io.Writer, logger *slog.Logger) error {
	var buf []byte
	for {
		if buf = o.take(buf); buf == nil {
			return nil
		}
		for rest := buf; len(rest) > 0; {
			n, err := w.Write(rest[:min(len(rest), writeLen)])
			if err != nil {
				return err
			}
			rest = rest[n:]
			d := o.written(n)
			if d.early > 0 {
				logger.Warn("notifications dropped because the creation of their objects was not answered for too long",
					"notifications", d.early)
			}
			if d.slow() > 0 { // an error: mediasoup's default level hides warnings
				logger.Error("messages dropped because the application reads slowly",
					"media", d.media, "data", d.data, "logs", d.logs, "notifications", d.state, "of", strings.Join(d.of, " "))
			}
		}
	}
}

// TryWriter is a stream that can be written without waiting.
type TryWriter interface {
	// TryWrite writes what can be written at once, and returns the number of bytes. The next Write returns any error.
	TryWrite(b []byte) int
}

// tryWriter returns w's TryWrite, or a function that writes nothing if w has none.
func tryWriter(w io.Writer) func([]byte) int {
	if t, ok := w.(TryWriter); ok {
		return t.TryWrite
	}
	return func([]byte) int { return 0 }
}
