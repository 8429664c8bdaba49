package main

import (
	"errors"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/webrtc/v4"
)

// receiver is what a guest gets of the others. It looks at nothing, but receives all and reports on it.
type receiver struct {
	pc        *webrtc.PeerConnection
	transport transport
	sections  []*section // by MID
	version   int        // of the offer
	probed    bool       // one of the sections is for probation
}

func newReceiver(c capabilities, t transport, share float64, certificate *webrtc.Certificate, lost func(error)) (*receiver, error) {
	media, err := engine(c, []string{transportCCURI}, []string{transportCCURI})
	if err != nil {
		return nil, err
	}
	var interceptors interceptor.Registry
	if share > 0 {
		interceptors.Add(&loss{share: share}) // the first one is next to the network
	}
	if err := errors.Join(
		webrtc.ConfigureRTCPReports(&interceptors), webrtc.ConfigureNack(media, &interceptors),
		webrtc.ConfigureTWCCSenderWithOptions(media, &interceptors, twcc.WithLoggerFactory(quiet)),
	); err != nil {
		return nil, err
	}
	r := &receiver{transport: t, sections: []*section{{kind: dataKind}}}
	if r.pc, err = newConnection(certificate, media, &interceptors, lost); err != nil {
		return nil, err
	}
	r.pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		go drain(receiver.Read)
		drain(track.Read)
	})
	return r, nil
}

// drain reads until there is no more to come.
func drain(read func([]byte) (int, interceptor.Attributes, error)) {
	b := make([]byte, 1500)
	for {
		if _, _, err := read(b); err != nil {
			return
		}
	}
}

// mediasoup's stream that probes whether a link carries more. A browser that has pictures also receives this one; if it did not report on its
// packets, they would be taken for lost.
const (
	probationID          = "probator"
	probationSSRC        = 1234
	probationPayloadType = 127
)

func probation(picture rtpParameters) rtpParameters {
	c := picture.Codecs[0]
	c.PayloadType, c.RTCPFeedback = probationPayloadType, []feedback{{Type: "transport-cc"}}
	return rtpParameters{
		Codecs: []codec{c}, HeaderExtensions: picture.HeaderExtensions, Encodings: []encoding{{SSRC: probationSSRC}},
		RTCP: rtcpParameters{CNAME: probationID},
	}
}

const dataKind = "application"

// listen opens the other end of a data consumer, which nobody reads. If it cannot be, what comes there is dropped earlier.
func (r *receiver) listen(c dataConsumer) {
	negotiated := true
	_, _ = r.pc.CreateDataChannel(c.Label, &webrtc.DataChannelInit{Negotiated: &negotiated, ID: &c.Stream.ID})
}

// add has a consumer received, after negotiate. It takes the place of one that has ended, if there is one.
func (r *receiver) add(c consumer) {
	if c.Kind == "video" && !r.probed {
		r.probed = true
		r.sections = append(r.sections, &section{kind: "video", id: probationID, params: probation(c.RTPParameters)})
	}
	added := &section{kind: c.Kind, id: c.ID, params: c.RTPParameters}
	for mid, s := range r.sections {
		if s.id == "" && s.kind == c.Kind {
			r.sections[mid] = added
			return
		}
	}
	r.sections = append(r.sections, added)
}

func (r *receiver) remove(id string) {
	for _, s := range r.sections {
		if s.id == id {
			s.id = ""
		}
	}
}

// negotiate tells the peer connection what has changed.
func (r *receiver) negotiate() error {
	r.version++
	offer := offerOf(r.sections, r.transport, r.version)
	if err := r.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return err
	}
	answer, err := r.pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	return r.pc.SetLocalDescription(answer)
}
