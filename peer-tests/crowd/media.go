package main

import (
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"gazpacho/peer-tests/app"
)

const (
	frame         = 40 * time.Millisecond
	complainEvery = 500 * time.Millisecond
	writeEvery    = 100 * time.Millisecond
	payload       = 300 // bytes of a picture's layer
	spatialLayers = 3
)

// encoder sends one stream while it is on. A whole frame is a packet, or one for each spatial layer.
type encoder struct {
	kind   uint8 // payload type
	track  *webrtc.TrackLocalStaticRTP
	sender *webrtc.RTPSender
	on     atomic.Bool
	wanted atomic.Bool // a key frame

	seq       uint16
	timestamp uint32
	picture   uint16
}

// live sends, and complains of what is heard, until the person is gone.
func (p *person) live() {
	frames, complaints := time.NewTicker(frame), time.NewTicker(complainEvery)
	defer frames.Stop()
	defer complaints.Stop()
	for {
		select {
		case <-p.gone:
			return
		case <-frames.C:
			for _, e := range p.encoders {
				if e.on.Load() {
					e.send()
				}
			}
		case <-complaints.C:
			if p.link == nil {
				continue
			}
			if packets := p.link.complaints(); len(packets) > 0 {
				_ = p.pc.WriteRTCP(packets) // nothing is sent before there is a connection
			}
		}
	}
}

// write writes to a data channel until the person is gone.
func (p *person) write(channel *webrtc.DataChannel) {
	ticker := time.NewTicker(writeEvery)
	defer ticker.Stop()
	text := make([]byte, payload)
	for {
		select {
		case <-p.gone:
			return
		case <-ticker.C:
			if channel.Send(text) != nil {
				return // the worker has closed it
			}
		}
	}
}

// readRTCP answers requests for key frames.
func (e *encoder) readRTCP() {
	for {
		packets, _, err := e.sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			switch packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				e.wanted.Store(true)
			}
		}
	}
}

func (e *encoder) send() {
	key := e.wanted.Swap(false) || e.picture == 0
	switch e.kind {
	case app.OpusPayloadType:
		e.write(make([]byte, 60), true)
		e.timestamp += uint32(frame.Seconds() * 48000)
	case app.VP8PayloadType:
		e.write(vp8(key), true)
		e.timestamp += uint32(frame.Seconds() * 90000)
	case app.VP9PayloadType:
		for layer := range uint8(spatialLayers) {
			e.write(vp9(e.picture, layer, key), layer == spatialLayers-1)
		}
		e.timestamp += uint32(frame.Seconds() * 90000)
	}
	e.picture = (e.picture + 1) & 0x7fff
}

// write sends a packet, which fails while there is no connection. Payload type and SSRC are the track's.
func (e *encoder) write(payload []byte, last bool) {
	h := rtp.Header{Version: 2, SequenceNumber: e.seq, Timestamp: e.timestamp, Marker: last}
	_ = e.track.WriteRTP(&rtp.Packet{Header: h, Payload: payload})
	e.seq++
}

// vp8 returns a whole frame (RFC 7741 section 4.2).
func vp8(key bool) []byte {
	b := make([]byte, payload)
	if key {
		copy(b, []byte{0x10, 0, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00})
	} else {
		copy(b, []byte{0x10, 1, 0, 0})
	}
	return b
}

// vp9 returns a whole frame of a spatial layer (RFC 9628 section 4.2, not in flexible mode).
func vp9(picture uint16, layer uint8, key bool) []byte {
	const hasPictureID, interPicture, hasLayers, start, end = 0x80, 0x40, 0x20, 0x08, 0x04
	first := byte(hasPictureID | hasLayers | start | end)
	if !key {
		first |= interPicture
	}
	b := make([]byte, payload)
	copy(b, []byte{first, 0x80 | byte(picture>>8), byte(picture), layer<<1 | min(layer, 1), byte(picture)})
	return b
}
