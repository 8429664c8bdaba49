package rtpstream

import (
	"time"

	"gazpacho/engine/unit"
)

// KeyFrameRequests spaces out requests for key frames, per SSRC: a request while one is pending is not sent but makes
// the pending one repeat once if no key frame comes within a second; with a delay, all requests within that time after
// one become a single one at its end.
type KeyFrameRequests struct{}

// NewKeyFrameRequests returns a machine with the given delay (a producer's keyFrameRequestDelay); 0 means none.
func NewKeyFrameRequests(delay time.Duration) *KeyFrameRequests { return nil }

// Request asks for a key frame of a stream.
func (k *KeyFrameRequests) Request(now unit.Time, ssrc unit.SSRC) {}

// Force asks for a key frame now, whatever is pending.
func (k *KeyFrameRequests) Force(now unit.Time, ssrc unit.SSRC) {}

// Received ends the pending request of a stream: its key frame came.
func (k *KeyFrameRequests) Received(ssrc unit.SSRC) {}

// Forget drops everything about a stream that is gone.
func (k *KeyFrameRequests) Forget(ssrc unit.SSRC) {}

// HandleTimeout repeats or ends requests whose time is over.
func (k *KeyFrameRequests) HandleTimeout(now unit.Time) {}

// NextTimeout returns when HandleTimeout has to be called, unit.Never when nothing is pending.
func (k *KeyFrameRequests) NextTimeout() unit.Time { return unit.Never }

// Needed returns the SSRCs whose streams have to be asked for a key frame now (Recv.RequestKeyFrame), and forgets them.
// The slice is valid until the next call of any method.
func (k *KeyFrameRequests) Needed() []unit.SSRC { return nil }
