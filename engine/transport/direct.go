package transport

import (
	"bytes"

	"gazpacho/engine/api"
	"gazpacho/engine/media"
	"gazpacho/engine/unit"
)

// direct is the backend of a DirectTransport: the application itself sends and receives RTP and RTCP through the channel.
type direct struct {
	t *Transport
}

// NewDirect returns a DirectTransport, which is connected at once.
func NewDirect(now unit.Time, id string, options *api.DirectTransportOptions, env Env) (*Transport, error) {
	t, err := newTransport(id, options.Base, false, env)
	if err != nil {
		return nil, err
	}
	t.options.Direct = true
	t.backend = &direct{t}
	t.connected(now)
	return t, nil
}

func (d *direct) connected() bool { return true }

func (d *direct) secured() bool { return false }

func (d *direct) sendRTP(now unit.Time, c *Consumer, b []byte, o media.Outgoing) {
	// The batch's arena is used again, and whoever takes a notification may keep its body.
	d.t.emit(c.ID(), api.EventConsumerRTP, &api.ConsumerRTPNotification{Data: bytes.Clone(b[:o.Len])})
	d.t.sent(now, o.Len)
}

func (d *direct) flush() {}

func (d *direct) sendRTCP(now unit.Time, compound []byte) {
	d.t.emit(d.t.id, api.EventDirectTransportRTCP, &api.DirectTransportRTCPNotification{Data: bytes.Clone(compound)})
	d.t.sent(now, len(compound))
}

func (d *direct) sendSCTP(unit.Time, []byte) {
	panic("transport: a direct transport has no SCTP association")
}

func (d *direct) poll(unit.Time) {}

func (d *direct) timeout(unit.Time) {}

func (d *direct) nextTimeout() unit.Time { return unit.Never }

func (d *direct) dump() api.ResponseBody {
	return &api.DirectTransportDumpResponse{Base: d.t.baseDump()}
}

func (d *direct) stats(now unit.Time) api.ResponseBody {
	return &api.DirectTransportGetStatsResponse{Base: d.t.baseStats(now)}
}

func (d *direct) emitBroken() {}

func (d *direct) close() {}
