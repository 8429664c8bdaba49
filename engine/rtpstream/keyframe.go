package rtpstream

import (
	"slices"
	"time"

	"gazpacho/engine/unit"
)

const (
	// keyFrameWait is how long mediasoup waits for a key frame before it asks again (KeyFrameRetransmissionWaitMs).
	keyFrameWait = 1000 * time.Millisecond
	// keyFramePause is libwebrtc's: for so long after a request that it answered, it ignores others.
	keyFramePause = 300 * time.Millisecond
	// keyFramePauseOver is when, after a key frame, that time is certainly over. (Chosen here.)
	keyFramePauseOver = keyFramePause + 50*time.Millisecond
)

// KeyFrameRequests spaces out requests for key frames, per SSRC: a request while one is pending is not sent but makes
// the pending one repeat if no key frame comes within a second; with a delay, all requests within that time after one
// become a single one at its end. It is mediasoup's KeyFrameRequestManager, in which every new request repeats once; but here a
// request that a browser ignores because it comes too soon after a key frame is repeated as soon as that makes sense: receivers
// that join one shortly after the other need not wait for a second.
//
// Its tables hold only SSRCs that the caller names, so that these are bounded by the caller's streams.
type KeyFrameRequests struct {
	delay    time.Duration
	pending  []pendingKeyFrame
	delayers []keyFrameDelayer
	received []receivedKeyFrame
	needed   []unit.SSRC
	taken    bool
}

// pendingKeyFrame is a key frame that was asked for.
type pendingKeyFrame struct {
	deadline unit.Time
	ssrc     unit.SSRC
	retry    bool
	early    bool // the deadline is the end of the pause after a key frame
}

// receivedKeyFrame is the last key frame of a stream.
type receivedKeyFrame struct {
	at   unit.Time
	ssrc unit.SSRC
}

// keyFrameDelayer holds requests back until its end.
type keyFrameDelayer struct {
	end       unit.Time
	ssrc      unit.SSRC
	requested bool
}

// NewKeyFrameRequests returns a machine with the given delay (a producer's keyFrameRequestDelay); 0 means none.
func NewKeyFrameRequests(delay time.Duration) *KeyFrameRequests {
	return &KeyFrameRequests{delay: delay}
}

// Request asks for a key frame of a stream.
func (k *KeyFrameRequests) Request(now unit.Time, ssrc unit.SSRC) {
	if k.delay > 0 {
		if i := k.delayer(ssrc); i >= 0 {
			k.delayers[i].requested = true
			return
		}
		k.delayers = append(k.delayers, keyFrameDelayer{end: now.Add(k.delay), ssrc: ssrc})
	}
	if i := k.pendingIndex(ssrc); i >= 0 {
		k.pending[i].retry = true
		return
	}
	k.ask(now, ssrc)
}

// Force asks for a key frame now, whatever is pending.
func (k *KeyFrameRequests) Force(now unit.Time, ssrc unit.SSRC) {
	k.drop(ssrc)
	if k.delay > 0 {
		k.delayers = append(k.delayers, keyFrameDelayer{end: now.Add(k.delay), ssrc: ssrc})
	}
	k.ask(now, ssrc)
}

// Received ends the pending request of a stream: its key frame came.
func (k *KeyFrameRequests) Received(now unit.Time, ssrc unit.SSRC) {
	k.answered(ssrc)
	if i := k.receivedIndex(ssrc); i >= 0 {
		k.received[i].at = now
		return
	}
	k.received = append(k.received, receivedKeyFrame{now, ssrc})
}

// Forget drops what is known of a stream, as when the stream is gone.
func (k *KeyFrameRequests) Forget(ssrc unit.SSRC) {
	k.drop(ssrc)
	if i := k.receivedIndex(ssrc); i >= 0 {
		k.received = slices.Delete(k.received, i, i+1)
	}
}

// drop forgets what is pending or held back.
func (k *KeyFrameRequests) drop(ssrc unit.SSRC) {
	k.answered(ssrc)
	if i := k.delayer(ssrc); i >= 0 {
		k.delayers = slices.Delete(k.delayers, i, i+1)
	}
}

func (k *KeyFrameRequests) answered(ssrc unit.SSRC) {
	if i := k.pendingIndex(ssrc); i >= 0 {
		k.pending = slices.Delete(k.pending, i, i+1)
	}
}

// ask requests a key frame now.
func (k *KeyFrameRequests) ask(now unit.Time, ssrc unit.SSRC) {
	p := pendingKeyFrame{deadline: now.Add(keyFrameWait), ssrc: ssrc, retry: true}
	if i := k.receivedIndex(ssrc); i >= 0 && now.Sub(k.received[i].at) < keyFramePause {
		p.deadline, p.early = k.received[i].at.Add(keyFramePauseOver), true
	}
	k.pending = append(k.pending, p)
	k.need(ssrc)
}

// HandleTimeout repeats or ends requests whose time is over.
func (k *KeyFrameRequests) HandleTimeout(now unit.Time) {
	for i := 0; i < len(k.pending); {
		p := &k.pending[i]
		switch {
		case now < p.deadline:
			i++
		case p.early:
			p.early, p.deadline = false, now.Add(keyFrameWait)
			k.need(p.ssrc)
			i++
		case p.retry:
			// The request may have been lost: once more. After that, only if there are new requests.
			p.retry, p.deadline = false, now.Add(keyFrameWait)
			k.need(p.ssrc)
			i++
		default:
			k.pending = slices.Delete(k.pending, i, i+1)
		}
	}
	k.endDelays(now)
}

// endDelays sends the requests that were held back.
func (k *KeyFrameRequests) endDelays(now unit.Time) {
	for i := 0; i < len(k.delayers); {
		d := k.delayers[i]
		if now < d.end {
			i++
			continue
		}
		k.delayers = slices.Delete(k.delayers, i, i+1)
		if d.requested {
			k.Request(now, d.ssrc)
		}
	}
}

// NextTimeout returns when HandleTimeout has to be called, unit.Never when nothing is pending.
func (k *KeyFrameRequests) NextTimeout() unit.Time {
	next := unit.Never
	for i := range k.pending {
		next = min(next, k.pending[i].deadline)
	}
	for i := range k.delayers {
		next = min(next, k.delayers[i].end)
	}
	return next
}

// Needed returns the SSRCs whose streams have to be asked for a key frame now (Recv.RequestKeyFrame), and forgets them.
// The slice is valid until the next call of any method.
func (k *KeyFrameRequests) Needed() []unit.SSRC {
	needed := k.needed
	if k.taken {
		needed = needed[:0]
	}
	k.needed, k.taken = needed, true
	return needed
}

func (k *KeyFrameRequests) need(ssrc unit.SSRC) {
	if k.taken {
		k.needed, k.taken = k.needed[:0], false
	}
	k.needed = append(k.needed, ssrc)
}

func (k *KeyFrameRequests) pendingIndex(ssrc unit.SSRC) int {
	return slices.IndexFunc(k.pending, func(p pendingKeyFrame) bool { return p.ssrc == ssrc })
}

func (k *KeyFrameRequests) receivedIndex(ssrc unit.SSRC) int {
	return slices.IndexFunc(k.received, func(r receivedKeyFrame) bool { return r.ssrc == ssrc })
}

func (k *KeyFrameRequests) delayer(ssrc unit.SSRC) int {
	return slices.IndexFunc(k.delayers, func(d keyFrameDelayer) bool { return d.ssrc == ssrc })
}
