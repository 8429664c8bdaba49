package monitor

import (
	"bufio"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/internal/fuzzseed"
)

const token = "0123456789abcdef0123456789abcdef"

// site is a server with a stage behind it.
type site struct {
	t   testing.TB
	url string
}

func serve(t testing.TB, s *stage, token string) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := NewWatch(s.find)
	w.round(t.Context())
	server := Serve(l, Options{Watch: w, Token: token})
	t.Cleanup(server.Close)
	return &site{t, strings.TrimSuffix(server.Where(), "/")}
}

// do asks for a path, with headers in pairs.
func (s *site) do(method, path, body string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	require.NoError(s.t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	return answer, string(text)
}

func (s *site) get(path string, headers ...string) (int, string) {
	s.t.Helper()
	answer, body := s.do("GET", path, "", headers...)
	return answer.StatusCode, body
}

func TestThePage(t *testing.T) {
	s := serve(t, &stage{}, "")
	answer, body := s.do("GET", "/", "")
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Contains(t, body, "app.js")
	for header, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
	} {
		require.Contains(t, answer.Header.Get(header), want, header)
	}
	require.Empty(t, answer.Header.Get("Access-Control-Allow-Origin"))
	for file, want := range map[string]string{"/": "text/html", "/app.js": "text/javascript", "/style.css": "text/css", "/icon.svg": "image/svg+xml"} {
		answer, _ := s.do("GET", file, "")
		require.Equal(t, http.StatusOK, answer.StatusCode, file)
		require.Contains(t, answer.Header.Get("Content-Type"), want)
	}
	code, _ := s.get("/api/secrets")
	require.Equal(t, http.StatusNotFound, code)
}

// The page's policy allows no inline scripts or styles, and nothing of other hosts.
func TestThePageKeepsToItsPolicy(t *testing.T) {
	forbidden := regexp.MustCompile(`<script(?: [a-z]+="module")?>|<style|\bon[a-z]+="|style="|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://(?:[^w]|w[^w]|www\.[^w])`)
	checked := 0
	require.NoError(t, fs.WalkDir(pageFiles, "page", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := pageFiles.ReadFile(path)
		require.NoError(t, err)
		require.NotRegexp(t, forbidden, string(b), path)
		checked++
		return nil
	}))
	require.Greater(t, checked, 8)
}

func TestAnswers(t *testing.T) {
	var st stage
	st.add("a", transportIn(`<b>"one"</b>`, "t1"))
	s := serve(t, &st, "")
	room := "application=edumeet&tenant=school&router=" + url.QueryEscape(`<b>"one"</b>`)
	for path, want := range map[string]string{
		"/api/overview":    `"name":"a"`,
		"/api/node?node=a": `"rows":[`,
		"/api/rooms?sort=loss&order=up&limit=3&offset=0": `"total":1`,
		"/api/room?" + room:                          `"transports":[{`,
		"/api/transport?node=a&transport=t1&" + room: `"findings":[`,
	} {
		code, body := s.get(path)
		require.Equal(t, http.StatusOK, code, path)
		require.Contains(t, body, want, path)
		require.NotContains(t, body, "<b>", "names are escaped, even if somebody takes an answer for a page")
	}
	for path, want := range map[string]string{
		"/api/node?node=x":                             "no node or worker",
		"/api/room?router=x":                           "no such Router",
		"/api/transport?node=a&router=x&transport=t":   "no such transport",
		"/api/transport?node=zzz&router=x&transport=t": "no node or worker",
	} {
		code, body := s.get(path)
		require.Equal(t, http.StatusNotFound, code, path)
		require.Contains(t, body, want, path)
	}
	for path, want := range map[string]string{
		"/api/rooms?offset=x": "no number", "/api/rooms?limit=-1": "no number", "/api/rooms?sort=colour": "cannot be sorted",
		"/api/rooms?text=" + strings.Repeat("x", 201): "too long", "/api/room": "name a Router", "/live/room": "name a Router",
		"/api/room?router=" + strings.Repeat("x", 500): "too long", "/api/transport?router=r&node=a": "name a node and a transport",
	} {
		code, body := s.get(path)
		require.Equal(t, http.StatusBadRequest, code, path)
		require.Contains(t, body, want, path)
	}
}

func TestTokens(t *testing.T) {
	s := serve(t, &stage{}, token)
	code, _ := s.get("/")
	require.Equal(t, http.StatusOK, code, "the page holds no secret")
	for _, path := range []string{"/api/overview", "/live/overview", "/api/rooms"} {
		for _, headers := range [][]string{
			nil, {"Authorization", "Bearer " + token[1:]}, {"Authorization", "Bearer"}, {"Authorization", token}, {"Cookie", cookie + "=" + token}, {"Cookie", cookie + "="},
		} {
			code, body := s.get(path, headers...)
			require.Equal(t, http.StatusUnauthorized, code, "%s %v", path, headers)
			require.Equal(t, "show the token\n", body)
		}
	}
	code, _ = s.get("/api/overview", "Authorization", "Bearer "+token)
	require.Equal(t, http.StatusOK, code)

	form := []string{"Content-Type", "application/x-www-form-urlencoded"}
	answer, _ := s.do("POST", "/login", "token=wrong", form...)
	require.Equal(t, http.StatusForbidden, answer.StatusCode)
	answer, _ = s.do("POST", "/login", "token="+strings.Repeat("x", 10000), form...)
	require.Equal(t, http.StatusForbidden, answer.StatusCode)
	require.Empty(t, answer.Cookies())
	answer, _ = s.do("POST", "/login", "token="+token, form...)
	require.Equal(t, http.StatusNoContent, answer.StatusCode)
	given := answer.Cookies()[0]
	require.True(t, given.HttpOnly)
	require.Equal(t, http.SameSiteStrictMode, given.SameSite)
	require.NotContains(t, given.Value, token)
	code, _ = s.get("/api/overview", "Cookie", given.Name+"="+given.Value)
	require.Equal(t, http.StatusOK, code)
	answer, _ = s.do("POST", "/logout", "")
	require.Negative(t, answer.Cookies()[0].MaxAge)
}

func TestStrangersMayNotAsk(t *testing.T) {
	s := serve(t, &stage{}, "")
	code, body := s.get("/api/overview", "Host", "evil.example")
	require.Equal(t, http.StatusForbidden, code, "a name that leads to this host")
	require.Contains(t, body, "localhost")
	code, _ = s.get("/api/overview", "Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, code, "another site's page")
	code, _ = s.get("/api/overview", "Sec-Fetch-Site", "same-origin")
	require.Equal(t, http.StatusOK, code)
	code, _ = s.get("/", "Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusOK, code, "a link to the page")
	answer, _ := s.do("POST", "/api/overview", "")
	require.Equal(t, http.StatusMethodNotAllowed, answer.StatusCode)
}

func TestTokenFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	_, err := ReadToken(file)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(file, []byte(" short \n"+token), 0o600))
	_, err = ReadToken(file)
	require.ErrorContains(t, err, "at least 16")
	require.NoError(t, os.WriteFile(file, []byte("  "+token+" \nmore\n"), 0o600))
	got, err := ReadToken(file)
	require.NoError(t, err)
	require.Equal(t, token, got)
}

// Whoever looks gets what is there now, and what changes.
func TestEvents(t *testing.T) {
	var st stage
	a := st.add("a", transportIn("one", "t1"))
	s := serve(t, &st, "")
	answer, err := http.Get(s.url + "/live/room?application=edumeet&tenant=school&router=one")
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
	events := bufio.NewScanner(answer.Body)
	next := func() string {
		for events.Scan() {
			if data, ok := strings.CutPrefix(events.Text(), "data: "); ok {
				return data
			}
		}
		require.Fail(t, "the events have ended")
		return ""
	}
	require.NotContains(t, next(), "t2")
	st.mu.Lock()
	a.transports = append(a.transports, transportIn("one", "t2"))
	st.mu.Unlock()
	for !strings.Contains(next(), `"transport":"t2"`) {
	}
	st.mu.Lock()
	a.dead = true
	st.mu.Unlock()
	for !strings.Contains(next(), "connection refused") {
	}
}

// Pages that look at the same thing share it, and only so many look at once.
func TestFeedsAreBounded(t *testing.T) {
	f := feeds{open: map[string]*feed{}}
	nothing := must((&Server{options: Options{Watch: NewWatch((&stage{}).find)}}).overview(nil))
	var done []func()
	read := func(name string) error {
		_, end, err := f.read(name, nothing)
		if err == nil {
			done = append(done, end)
		}
		return err
	}
	for i := range maxFeeds {
		require.NoError(t, read(strings.Repeat("x", i)))
	}
	require.ErrorIs(t, read("another"), errCrowded)
	for range maxReaders - maxFeeds {
		require.NoError(t, read("x"))
	}
	require.ErrorIs(t, read("x"), errCrowded)
	require.Len(t, f.open, maxFeeds)
	for _, end := range done {
		end()
		end() // counts once
	}
	require.Empty(t, f.open)
	require.Zero(t, f.readers)
}

func TestAddressesOfThisHost(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true, "0.0.0.0:1": false, ":1": false, "10.0.0.1:1": false, "host:1": false, "127.0.0.1": false,
	} {
		require.Equal(t, want, IsLocal(address), address)
	}
}

// Whatever is asked for has an answer.
func FuzzAddresses(tf *testing.F) {
	f := fuzzseed.New(tf, 300)
	var st stage
	st.add("a", transportIn("one", "t1"))
	s := serve(tf, &st, "")
	f.Add("transport?node=a&application=edumeet&tenant=school&router=one&transport=t1")
	f.Add("rooms?text=a&sort=loss&offset=5&limit=100000000000000000000")
	f.Add("room?router=%00%ff&application=%3Cb%3E")
	f.Add("overview?")
	f.Fuzz(func(t *testing.T, path string) {
		name, query, _ := strings.Cut(path, "?")
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		code, _ := (&site{t, s.url}).get("/api/" + url.PathEscape(name) + "?" + values.Encode())
		require.Contains(t, []int{http.StatusOK, http.StatusNotFound, http.StatusBadRequest, http.StatusTemporaryRedirect, http.StatusMovedPermanently}, code)
	})
}
