package remote

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"time"

	"gazpacho/scaling/session"
)

// Queries. All but the first two are followed by a blank and a node's name, a producer's id or a look.Question.
const (
	queryStatus  = "status"  // for a node's [Status]
	queryCluster = "cluster" // for that of all nodes, by any of them: a list of [NodeStatus]
	queryDrain   = "drain"   // has a node drain, by any of them
	queryUndrain = "undrain" // has it take new transports again
	queryFind    = "find"    // for [Places] of a producer, by any of them
	queryHas     = "has"     // for those on the node itself: a list of [Place]
	queryLook    = "look"    // for what a monitor shows; of operators only
)

// Chosen here.
const (
	// maxReply is the longest reply taken: a thousand nodes with fifty fronts each fit.
	maxReply = 16 << 20
	// passedOnTime is how long a node may take that asks others.
	passedOnTime = 2 * connectTime
)

// AskStatus asks a node for its status.
func AskStatus(ctx context.Context, address string, config *tls.Config) (s Status, err error) {
	b, err := ask(ctx, address, config, queryStatus, connectTime)
	if err != nil {
		return Status{}, err
	}
	return s, json.Unmarshal(b, &s)
}

// AskCluster asks a node for the status of all nodes that it knows.
func AskCluster(ctx context.Context, address string, config *tls.Config) (all []NodeStatus, err error) {
	b, err := ask(ctx, address, config, queryCluster, passedOnTime)
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(b, &all)
}

// AskLook asks a node, or a worker that is watched, a question of a monitor, which is in bytes as the answer is.
func AskLook(ctx context.Context, address string, config *tls.Config, question []byte) ([]byte, error) {
	return ask(ctx, address, config, queryLook+" "+string(question), passedOnTime)
}

// AskDrain asks a node to have the one of the given name drain, which may be another, or take new transports again.
func AskDrain(ctx context.Context, address string, config *tls.Config, name string, drain bool) error {
	query := queryUndrain
	if drain {
		query = queryDrain
	}
	_, err := ask(ctx, address, config, query+" "+name, passedOnTime)
	return err
}

// AskFind asks a node where the producers of an id are, of whichever tenant.
func AskFind(ctx context.Context, address string, config *tls.Config, producerID string) (p Places, err error) {
	b, err := ask(ctx, address, config, queryFind+" "+producerID, passedOnTime)
	if err != nil {
		return Places{}, err
	}
	return p, json.Unmarshal(b, &p)
}

// ask sends a query and returns the reply, which must come within the limit and before ctx ends.
func ask(ctx context.Context, address string, config *tls.Config, query string, limit time.Duration) ([]byte, error) {
	c, err := dial(ctx, address, config)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	c.SetDeadline(time.Now().Add(limit))
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
			return nil, cmp.Or(ctx.Err(), err)
		}
	}
}
