package channel

import "io"

// TryWriter is a stream that can be written without waiting.
type TryWriter interface {
	// TryWrite writes what can be written at once, and returns how much that was. Errors are left to Write.
	TryWrite(b []byte) int
}

// tryWriter returns w's TryWrite; streams that have none take nothing.
func tryWriter(w io.Writer) func([]byte) int {
	if t, ok := w.(TryWriter); ok {
		return t.TryWrite
	}
	return func([]byte) int { return 0 }
}
