package main

import (
	"context"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
)

const (
	frameTime   = time.Second / framesPerSecond
	frameTicks  = 90_000 / framesPerSecond
	soundTime   = 20 * time.Millisecond
	soundTicks  = 48_000 / 50
	silenceTime = 400 * time.Millisecond // between packets of somebody who says nothing, as Opus' DTX has it
	maxPayload  = 1150                   // bytes
	voiceLevel  = 35                     // dB below the loudest (RFC 6464); of the murmur that ffmpeg makes
	silentLevel = 127
)

// silence is a packet of Opus in which nothing is heard.
var silence = []byte{0xf8, 0xff, 0xfe}

// stream numbers and sends the packets of one track. Errors mean that the connection is not there yet, or not any more.
type stream struct {
	track *webrtc.TrackLocalStaticRTP
	next  uint16
}

func (s *stream) send(h rtp.Header, payload []byte) {
	h.Version, h.SequenceNumber = 2, s.next
	s.next++
	_ = s.track.WriteRTP(&rtp.Packet{Header: h, Payload: payload})
}

// picture sends a layer of a film.
type picture struct {
	stream
	vp8    codecs.VP8Payloader
	frames [][]byte
	frame  int // the next one
}

// show sends the film.
func (s *sender) show(ctx context.Context) {
	var pictures [layers]*picture
	for l, track := range s.pictures {
		pictures[l] = &picture{stream: stream{track: track}, vp8: codecs.VP8Payloader{EnablePictureID: true}, frames: s.guest.film[l]}
	}
	every(ctx, frameTime, func(n int) {
		if s.guest.floor.still.Load() {
			return
		}
		for l, p := range pictures {
			if s.wanted[l].Swap(false) {
				p.rewind()
			}
			p.send(uint32(n) * frameTicks)
		}
	})
}

// rewind goes back to the key frame before, if the next frame is none: less than a second of slow motion.
func (p *picture) rewind() {
	for p.frame > 0 && !isKeyFrame(p.frames[p.frame]) {
		p.frame--
	}
}

// isKeyFrame: RFC 6386 section 9.1.
func isKeyFrame(vp8 []byte) bool { return len(vp8) > 0 && vp8[0]&1 == 0 }

func (p *picture) send(timestamp uint32) {
	payloads := p.vp8.Payload(maxPayload, p.frames[p.frame])
	for i, payload := range payloads {
		p.stream.send(rtp.Header{Timestamp: timestamp, Marker: i == len(payloads)-1}, payload)
	}
	p.frame = (p.frame + 1) % len(p.frames)
}

// talk sends the voice when it is the guest's turn, and little otherwise.
func (s *sender) talk(ctx context.Context) {
	sound := &stream{track: s.sound}
	level := s.levelExtension()
	spoke := false
	due := 0 // when there is silence to be sent
	every(ctx, soundTime, func(n int) {
		since, speaks := s.guest.floor.speaks(s.guest.number, time.Duration(time.Now().UnixNano()))
		if s.guest.floor.still.Load() || !speaks && n < due {
			spoke = false
			return
		}
		packet, loudness := silence, byte(silentLevel)
		if said := int(since / soundTime); speaks && said < len(s.guest.voice) {
			packet, loudness = s.guest.voice[said], voiceLevel
		}
		h := rtp.Header{Timestamp: uint32(n) * soundTicks, Marker: speaks && !spoke}
		_ = h.SetExtension(level, []byte{loudness})
		sound.send(h, packet)
		spoke, due = speaks, n+int(silenceTime/soundTime)
	})
}

// levelExtension returns the id of the header extension that tells how loud a packet is.
func (s *sender) levelExtension() uint8 {
	for _, e := range s.microphone.GetParameters().HeaderExtensions {
		if e.URI == audioLevelURI {
			return uint8(e.ID)
		}
	}
	return 0
}

// every calls do with the number of the interval, again and again until ctx is done. One that was slept through is left out.
func every(ctx context.Context, interval time.Duration, do func(n int)) {
	begin := time.Now()
	for n := 0; ; n = int(time.Since(begin)/interval) + 1 {
		sleep(ctx, time.Until(begin.Add(time.Duration(n)*interval)))
		if ctx.Err() != nil {
			return
		}
		do(n)
	}
}
