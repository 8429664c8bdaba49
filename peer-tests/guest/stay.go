package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/pion/webrtc/v4"
)

var errTransportLost = errors.New("the server has lost a transport")

// What a guest asks for of each picture: the smallest one, with all its frames. It is there to be seen.
const (
	spatialLayer  = 0
	temporalLayer = 2
)

// joined is what the server tells who has joined.
type joined struct {
	Capabilities capabilities `json:"routerRtpCapabilities"`
	Transports   struct {
		Send transport `json:"send"`
		Recv transport `json:"recv"`
	} `json:"transports"`
}

// consumer is a stream of somebody else.
type consumer struct {
	ID            string        `json:"id"`
	Kind          string        `json:"kind"`
	RTPParameters rtpParameters `json:"rtpParameters"`
}

// dataConsumer is what somebody else writes.
type dataConsumer struct {
	Label  string `json:"label"`
	Stream struct {
		ID uint16 `json:"streamId"`
	} `json:"sctpStreamParameters"`
}

// stay is one stay in the room: from joining until the connection is lost.
type stay struct {
	guest *guest
	lost  func(error)
	*signaller
	receiver *receiver
	sender   *sender
}

// stay joins, and returns when the connection is lost or ctx is done: whether it had joined, and what ended it.
func (g *guest) stay(ctx context.Context) (hasJoined bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &stay{guest: g, lost: cancel}
	defer s.leave()
	if err := s.enter(ctx); err != nil {
		return false, err
	}
	s.sender.start(ctx)
	return true, s.follow(ctx)
}

// enter resolves when others see and hear this guest, as soon as media has its connections.
func (s *stay) enter(ctx context.Context) (err error) {
	if s.signaller, err = dial(ctx, s.guest.signalling, s.guest.insecure, s.lost); err != nil {
		return err
	}
	var j joined
	who := map[string]string{"room": s.guest.room, "name": s.guest.name, "tab": s.guest.tab}
	if err := s.request(ctx, "join", who, &j); err != nil {
		return err
	}
	if err := s.prepare(ctx, j); err != nil {
		return err
	}
	if err := s.request(ctx, "receive", map[string]any{"rtpCapabilities": understood(j.Capabilities)}, nil); err != nil {
		return err
	}
	if err := s.sender.connect(j.Transports.Send); err != nil {
		return err
	}
	if err := s.produce(ctx, "microphone", "audio", s.sender.microphone); err != nil || s.sender.camera == nil {
		return err
	}
	return s.produce(ctx, "camera", "video", s.sender.camera)
}

// prepare makes both peer connections, and tells the server's transports of them.
func (s *stay) prepare(ctx context.Context, j joined) error {
	certificate, err := newCertificate()
	if err != nil {
		return err
	}
	parameters, err := clientParameters(certificate)
	if err != nil {
		return err
	}
	can := understood(j.Capabilities)
	if s.receiver, err = newReceiver(can, j.Transports.Recv, s.guest.loss, certificate, s.lost); err != nil {
		return err
	}
	if s.sender, err = newSender(s.guest, can, certificate, s.lost); err != nil {
		return err
	}
	for _, direction := range []string{"send", "recv"} {
		if err := s.request(ctx, "connect", map[string]any{"direction": direction, "dtlsParameters": parameters}, nil); err != nil {
			return err
		}
	}
	return nil
}

func (s *stay) produce(ctx context.Context, source, kind string, r *webrtc.RTPSender) error {
	return s.request(ctx, "produce", map[string]any{"source": source, "rtpParameters": s.sender.parameters(kind, r)}, nil)
}

// follow does what the server's events ask for, until the connection is lost.
func (s *stay) follow(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case e := <-s.events:
			if err := s.handle(ctx, append([]event{e}, s.waiting()...)); err != nil {
				return err
			}
		}
	}
}

// waiting returns the events that have come already.
func (s *signaller) waiting() (events []event) {
	for range len(s.events) {
		events = append(events, <-s.events)
	}
	return events
}

// handle does what events ask for that have come together: all changes of what is received are negotiated at once.
func (s *stay) handle(ctx context.Context, events []event) error {
	var added []consumer
	changed := false
	for _, e := range events {
		switch e.name {
		case "transportLost":
			return errTransportLost
		case "dataConsumer":
			var c dataConsumer
			if err := json.Unmarshal(e.data, &c); err != nil {
				return err
			}
			changed = true
			s.receiver.listen(c)
		case "consumer", "consumerClosed":
			var c consumer
			if err := json.Unmarshal(e.data, &c); err != nil {
				return err
			}
			changed = true
			if e.name == "consumerClosed" {
				s.receiver.remove(c.ID)
				continue
			}
			s.receiver.add(c)
			added = append(added, c)
		}
	}
	if !changed {
		return nil
	}
	if err := s.receiver.negotiate(); err != nil {
		return err
	}
	for _, c := range added {
		if err := s.begin(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// begin has the server send a consumer's packets. That it refuses means that their sender has stopped meanwhile.
func (s *stay) begin(ctx context.Context, c consumer) error {
	var err error
	if c.Kind == "video" {
		err = s.request(ctx, "setPreferredLayers", map[string]any{"id": c.ID, "spatialLayer": spatialLayer, "temporalLayer": temporalLayer}, nil)
	}
	if err == nil {
		err = s.request(ctx, "resumeConsumer", map[string]any{"id": c.ID}, nil)
	}
	if _, refused := errors.AsType[refusal](err); refused {
		return nil
	}
	return err
}

// leave gives up what there is of the stay.
func (s *stay) leave() {
	if s.signaller != nil {
		s.close()
	}
	if s.receiver != nil {
		_ = s.receiver.pc.Close()
	}
	if s.sender != nil {
		_ = s.sender.pc.Close()
	}
}
