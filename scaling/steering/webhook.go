package steering

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"gazpacho/scaling/membership"
)

// Chosen here.
const (
	webhookTime     = 5 * time.Second // for a whole request
	minSecret       = 16              // bytes
	signatureHeader = "Gazpacho-Signature"
	timestampHeader = "Gazpacho-Timestamp"
)

// Webhook is where signals are told, and the secret by which the receiver knows who tells them.
type Webhook struct {
	url    string
	secret []byte
	client http.Client
}

// NewWebhook returns a webhook. The URL is that of HTTP or HTTPS.
func NewWebhook(address string, secret []byte) (*Webhook, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, err
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%q is no URL of HTTP or HTTPS", address)
	case len(secret) < minSecret:
		return nil, fmt.Errorf("the secret has %d bytes, which is less than %d", len(secret), minSecret)
	}
	return &Webhook{url: address, secret: secret, client: http.Client{
		Timeout: webhookTime, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// notice is the body of a request.
type notice struct {
	ID     string                `json:"id"`
	Signal membership.SignalKind `json:"signal"`
	State  string                `json:"state"` // begin or end
	Region string                `json:"region,omitempty"`
	Node   string                `json:"node,omitempty"`
	Since  time.Time             `json:"since"`
	// Serving and Needed are how many nodes take new transports in the region, and how many should.
	Serving int `json:"serving"`
	Needed  int `json:"needed"`
}

// errRefused says that the receiver answered, and not with success.
var errRefused = errors.New("refused")

// post tells one signal.
func (w *Webhook) post(ctx context.Context, s membership.Signal, r Region) error {
	n := notice{
		ID: s.ID, Signal: s.Kind, State: "begin", Region: s.Region, Node: s.Node, Since: time.Unix(s.Since, 0).UTC(), Serving: r.Serving, Needed: r.Needed,
	}
	if s.Over {
		n.State = "end"
	}
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(timestampHeader, timestamp)
	req.Header.Set(signatureHeader, "sha256="+hex.EncodeToString(w.sign(timestamp, body)))
	answer, err := w.client.Do(req)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%w: %s", errRefused, answer.Status)
	}
	return nil
}

// sign returns the HMAC-SHA256 of the timestamp, a dot and the body.
func (w *Webhook) sign(timestamp string, body []byte) []byte {
	h := hmac.New(sha256.New, w.secret)
	h.Write([]byte(timestamp))
	h.Write([]byte{'.'})
	h.Write(body)
	return h.Sum(nil)
}
