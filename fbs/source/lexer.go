package source

import (
	"fmt"
	"strings"
	"text/scanner"
)

// lexer splits the text of a schema into words, numbers, strings and single characters.
type lexer struct {
	scanner scanner.Scanner
	token   string // the current one; "" at the end
	err     error
}

func newLexer(file, text string) *lexer {
	l := &lexer{}
	l.scanner.Init(strings.NewReader(text))
	l.scanner.Filename = file
	l.scanner.Mode = scanner.ScanIdents | scanner.ScanFloats | scanner.ScanStrings | scanner.ScanComments | scanner.SkipComments
	l.scanner.Error = func(_ *scanner.Scanner, msg string) { l.fail("%s", msg) }
	l.next()
	return l
}

// fail records the first error and ends the input.
func (l *lexer) fail(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf("%s: %s", l.scanner.Pos(), fmt.Sprintf(format, args...))
	}
	l.token = ""
}

// next advances and returns the token before.
func (l *lexer) next() string {
	token := l.token
	l.token = ""
	if l.err == nil && l.scanner.Scan() != scanner.EOF && l.err == nil {
		if l.token = l.scanner.TokenText(); len(l.token) > maxNameLen {
			l.fail("a word of %d bytes", len(l.token))
		}
	}
	return token
}

// accept advances past token if it is the current one.
func (l *lexer) accept(token string) bool {
	if l.token != token {
		return false
	}
	l.next()
	return true
}

// expect advances past token, or fails if it is not the current one.
func (l *lexer) expect(token string) {
	if !l.accept(token) {
		l.fail("want %q, not %q", token, l.token)
	}
}

// word returns the current token, which must be a name.
func (l *lexer) word() string {
	if l.token == "" || !isLetter(l.token[0]) {
		l.fail("want a name, not %q", l.token)
		return ""
	}
	return l.next()
}

// path returns a name that may have dots.
func (l *lexer) path() string {
	name := l.word()
	for l.accept(".") {
		if name += "." + l.word(); len(name) > maxNameLen {
			l.fail("a name of %d bytes", len(name))
		}
	}
	return name
}

// value returns a number or a name, such as a default.
func (l *lexer) value() string {
	sign := ""
	if l.accept("-") {
		sign = "-"
	}
	if l.token == "" || (!isLetter(l.token[0]) && (l.token[0] < '0' || l.token[0] > '9')) {
		l.fail("want a value, not %q", l.token)
		return ""
	}
	return sign + l.next()
}

// quoted returns the content of the current token, which must be a string.
func (l *lexer) quoted() string {
	if len(l.token) < 2 || l.token[0] != '"' {
		l.fail("want a string, not %q", l.token)
		return ""
	}
	return strings.Trim(l.next(), `"`)
}

func isLetter(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
