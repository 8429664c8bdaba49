package monitor

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	// minToken is the shortest token in characters: it is to be drawn at random, and cannot be guessed then.
	minToken = 16
	// maxLogin is the longest request to log in, in bytes.
	maxLogin = 4 << 10
	cookie   = "gazpacho-monitor"
)

// ReadToken reads a token from a file: its first line, without blanks around it.
func ReadToken(file string) (string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	token := strings.TrimSpace(string(line))
	if len(token) < minToken {
		return "", fmt.Errorf("%s: a token has at least %d characters: draw one at random (openssl rand -hex 16)", file, minToken)
	}
	return token, nil
}

// gate lets those look who know the token. A browser shows it once, and gets a cookie that is worth the same until this process ends.
type gate struct {
	token  [sha256.Size]byte // of equal length, so that comparing takes equal time
	open   bool              // there is no token
	pass   string            // the cookie's value
	hash   [sha256.Size]byte // of pass
	secure bool
}

func newGate(token string, secure bool) *gate {
	pass := rand.Text() + rand.Text()
	return &gate{
		token: sha256.Sum256([]byte(token)), open: token == "", pass: pass, hash: sha256.Sum256([]byte(pass)), secure: secure,
	}
}

func same(want [sha256.Size]byte, given string) bool {
	hash := sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], hash[:]) == 1
}

// allows reports whether a request shows the token or the cookie.
func (g *gate) allows(r *http.Request) bool {
	if g.open {
		return true
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return same(g.token, token)
	}
	c, err := r.Cookie(cookie)
	return err == nil && same(g.hash, c.Value)
}

// mayLook refuses those who do not show the token.
func (g *gate) mayLook(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.allows(r) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="gazpacho monitor"`)
			http.Error(w, "show the token", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// login gives a browser that shows the token the cookie.
func (g *gate) login(w http.ResponseWriter, r *http.Request) {
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(headerTime))
	r.Body = http.MaxBytesReader(w, r.Body, maxLogin)
	if !g.open && !same(g.token, r.PostFormValue("token")) {
		http.Error(w, "this is not the token", http.StatusForbidden)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookie, Value: g.pass, Path: "/", HttpOnly: true, Secure: g.secure, SameSite: http.SameSiteStrictMode,
	})
	w.WriteHeader(http.StatusNoContent)
}

// logout has the browser forget the cookie.
func (g *gate) logout(w http.ResponseWriter, _ *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: cookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: g.secure, SameSite: http.SameSiteStrictMode})
	w.WriteHeader(http.StatusNoContent)
}
