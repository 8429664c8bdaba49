package main

import (
	"io"
	"strings"
	"unicode"
)

// printable writes texts of others to a terminal: applications choose the ids of their Routers, and nodes tell of themselves. What
// would do something there is shown as a question mark.
type printable struct{ io.Writer }

// Write implements [io.Writer].
func (p printable) Write(b []byte) (int, error) {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return '?'
		}
		return r
	}, string(b))
	if _, err := io.WriteString(p.Writer, text); err != nil {
		return 0, err
	}
	return len(b), nil
}
