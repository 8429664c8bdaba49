package steering_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/membership"
	"gazpacho/scaling/steering"
)

const secret = "sixteen bytes or more"

// receiver is the other end of webhooks.
type receiver struct {
	t       *testing.T
	mu      sync.Mutex
	status  int // 0: the network fails
	notices []map[string]any
	asked   int
}

// RoundTrip implements http.RoundTripper.
func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if r.status == 0 {
		return nil, errors.New("no network")
	}
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(req.Header.Get("Gazpacho-Timestamp") + "." + string(body)))
	if req.Header.Get("Gazpacho-Signature") != "sha256="+hex.EncodeToString(h.Sum(nil)) {
		r.t.Error("a wrong signature")
	}
	if r.status == http.StatusNoContent {
		var n map[string]any
		if err := json.Unmarshal(body, &n); err != nil {
			r.t.Error(err)
		}
		r.notices = append(r.notices, n)
	}
	return &http.Response{StatusCode: r.status, Status: http.StatusText(r.status), Body: http.NoBody, Header: http.Header{"Location": {"/"}}}, nil
}

func (r *receiver) set(status int) (asked int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
	asked, r.asked = r.asked, 0
	return asked
}

// A node tells its webhook that the region is short, again and again until that takes it, and that it is not any more. Its heartbeats say so.
func TestSteerer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		webhook, err := steering.NewWebhook("https://scaler.example/signals", []byte(secret))
		require.NoError(t, err)
		r := &receiver{t: t}
		webhook.SetTransport(r)
		var mu sync.Mutex
		changes := 0
		row := membership.Row{Condition: membership.Alive, Node: membership.Node{Name: "a", Labels: map[string]string{"region": "eu"}}}
		row.Load = membership.Load{CPU: 0.5, Transports: 1}
		var log bytes.Buffer
		s := steering.NewSteerer(steering.SteererOptions{
			Name: "a", Webhook: webhook, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Rows: func() []membership.Row {
				mu.Lock()
				defer mu.Unlock()
				return []membership.Row{row}
			},
			Changed: func() {
				mu.Lock()
				defer mu.Unlock()
				changes++
			},
		})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Positive(t, r.set(http.StatusTemporaryRedirect), "asked")
		time.Sleep(10 * time.Second)
		require.Positive(t, r.set(http.StatusNoContent), "redirects are not followed")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 1, r.set(http.StatusNoContent))
		require.Len(t, r.notices, 1)
		since, err := time.Parse(time.RFC3339, r.notices[0]["since"].(string))
		require.NoError(t, err)
		require.Less(t, time.Since(since), 2*time.Minute)
		var n membership.Node
		s.Describe(&n)
		require.True(t, n.Steers)
		require.True(t, n.Tells)
		require.Len(t, n.Signals, 1)
		require.Equal(t, map[string]any{
			"id": n.Signals[0].ID, "signal": "capacity-short", "state": "begin", "region": "eu", "since": r.notices[0]["since"], "serving": 1., "needed": 2.,
		}, r.notices[0])
		f := s.Figures()
		require.True(t, f.Tells)
		require.Equal(t, uint64(1), f.Told)
		require.Positive(t, f.Failed)
		require.True(t, f.Regions[0].Short)

		mu.Lock()
		row.Load.CPU = 0
		mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, r.notices, 2)
		require.Equal(t, "end", r.notices[1]["state"])
		require.Equal(t, n.Signals[0].ID, r.notices[1]["id"])
		require.Contains(t, log.String(), "capacity-short")
		mu.Lock()
		require.Greater(t, changes, 3)
		mu.Unlock()
		s.Close()
	})
}

// Closing does not wait for a webhook that does not answer, and a slow one does not keep the node from looking.
func TestSlowWebhook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		webhook, err := steering.NewWebhook("http://scaler.example", []byte(secret))
		require.NoError(t, err)
		hanging := make(chan struct{}, 100)
		webhook.SetTransport(roundTrip(func(req *http.Request) (*http.Response, error) {
			hanging <- struct{}{}
			<-req.Context().Done()
			return nil, req.Context().Err()
		}))
		var looks atomic.Int32
		row := membership.Row{Condition: membership.Alive, Node: membership.Node{Name: "a", Load: membership.Load{CPU: 1}}}
		s := steering.NewSteerer(steering.SteererOptions{
			Name: "a", Webhook: webhook, Log: slog.New(slog.DiscardHandler), Changed: func() {},
			Rows: func() []membership.Row { looks.Add(1); return []membership.Row{row} },
		})
		<-hanging
		synctest.Wait() // for the look of the same moment
		before := looks.Load()
		time.Sleep(4 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 4, looks.Load()-before)
		begun := time.Now()
		s.Close()
		require.Zero(t, time.Since(begun))
	})
}

type roundTrip func(req *http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestWrongWebhooks(t *testing.T) {
	for name, try := range map[string][2]string{
		"no URL":         {"http://a b", secret},
		"another scheme": {"ftp://scaler.example", secret},
		"no host":        {"https:///signals", secret},
		"short secret":   {"https://scaler.example", "short"},
	} {
		_, err := steering.NewWebhook(try[0], []byte(try[1]))
		require.Error(t, err, name)
	}
}
