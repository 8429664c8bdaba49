package rtpstream

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/unit"
)

func nackSeqs(n *nackList) (s []unit.SeqNo) {
	for _, g := range n.gaps {
		s = append(s, g.seq)
	}
	return s
}

func TestNACKListDropsWhatPrecedesAKeyFrame(t *testing.T) {
	n := newNACKList(0)
	now := unit.Time(1e9)
	receive := func(seq unit.SeqNo, key bool) bool {
		_, full := n.receive(now, seq, key, false)
		return full
	}
	receive(65000, false)
	require.False(t, receive(65400, false)) // 399 gaps
	require.False(t, receive(64, true))     // 199 more, before the key frame
	require.Len(t, n.gaps, 598)
	require.False(t, receive(465, false)) // 400 more
	require.Len(t, n.gaps, 998)
	require.False(t, receive(565, false))
	require.Len(t, n.gaps, 499, "what precedes the key frame is not needed any more")
	require.Equal(t, unit.SeqNo(65), n.gaps[0].seq)
	require.Equal(t, len(n.gaps), n.asked)
	require.True(t, receive(1200, false), "no key frame helps")
	require.Empty(t, n.gaps)
	require.Empty(t, n.keyFrames)
	require.False(t, receive(1202, false))
	require.Equal(t, []unit.SeqNo{1201}, nackSeqs(n))
}

func TestNACKListForgetsOldGapsAndKeyFrames(t *testing.T) {
	n := newNACKList(0)
	now := unit.Time(1e9)
	n.receive(now, 65000, true, false)
	n.receive(now, 65002, true, false)
	seq := unit.SeqNo(65002)
	for range 9998 {
		seq++
		n.receive(now, seq, false, false)
	}
	require.Equal(t, []unit.SeqNo{65001}, nackSeqs(n))
	require.Equal(t, []unit.SeqNo{65000 + 2}, n.keyFrames[len(n.keyFrames)-1:])
	n.receive(now, seq+2, false, false)
	require.Equal(t, []unit.SeqNo{seq + 1}, nackSeqs(n))
	require.Equal(t, []unit.SeqNo{65002}, n.keyFrames)
	require.Equal(t, 1, n.asked)
}

func TestNACKListBoundsKeyFrames(t *testing.T) {
	n := newNACKList(0)
	for seq := range unit.SeqNo(500) {
		n.receive(unit.Time(seq), seq, true, false)
	}
	require.Len(t, n.keyFrames, maxKeyFrames)
	require.Equal(t, unit.SeqNo(500-maxKeyFrames), n.keyFrames[0])
}

func TestNACKListKeepsNewAndRequestedGapsApart(t *testing.T) {
	n := newNACKList(10e6)
	now := unit.Time(1e9)
	n.receive(now, 0, false, false)
	n.receive(now, 3, false, false)
	require.Empty(t, n.batch)
	now = now.Add(11e6)
	n.receive(now, 6, false, false)
	require.Equal(t, []unit.SeqNo{1, 2}, n.batch)
	repaired, _ := n.receive(now, 1, false, false)
	require.True(t, repaired)
	repaired, _ = n.receive(now, 4, false, false)
	require.True(t, repaired, "even when it was not asked for yet")
	repaired, _ = n.receive(now, 4, false, false)
	require.False(t, repaired)
	now = now.Add(11e6)
	n.receive(now, 7, false, false)
	require.Equal(t, []unit.SeqNo{5}, n.batch, "2 waits for its round trip")
}
