package channel

import (
	"io"
	"log/slog"
)

// write sends what the outbox holds until that is closed and empty. The error is the stream's.
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
			if d.early = 0; d != (drops{}) {
				logger.Warn("messages dropped because the application reads slowly",
					"media", d.media, "data", d.data, "logs", d.logs, "notifications", d.state)
			}
		}
	}
}
