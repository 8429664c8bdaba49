package steering

import "net/http"

// SetTransport has the webhook use another transport than that of the network.
func (w *Webhook) SetTransport(t http.RoundTripper) { w.client.Transport = t }
