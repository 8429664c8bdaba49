package remote

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"time"

	"gazpacho/scaling/session"
)

// queryStatus asks a node for its [Status].
const queryStatus = "status"

// maxReply is the longest reply taken, chosen here: a thousand fronts need a quarter of it.
const maxReply = 1 << 20

// AskStatus asks a node for its status.
func AskStatus(ctx context.Context, address string, config *tls.Config) (s Status, err error) {
	b, err := ask(ctx, address, config, queryStatus)
	if err != nil {
		return Status{}, err
	}
	return s, json.Unmarshal(b, &s)
}

// ask sends a query and returns the reply.
func ask(ctx context.Context, address string, config *tls.Config, query string) ([]byte, error) {
	c, err := dial(ctx, address, config)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(connectTime))
	if _, err := c.Write(session.AppendQuery(nil, query)); err != nil {
		return nil, err
	}
	var got []byte
	for b := make([]byte, readLen); ; {
		n, err := c.Read(b)
		got = append(got, b[:n]...)
		reply, ok, replyErr := session.ReadReply(got, maxReply)
		switch {
		case ok:
			return reply, nil
		case replyErr != nil:
			return nil, replyErr
		case err != nil:
			return nil, err
		}
	}
}
