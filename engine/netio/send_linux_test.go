package netio

import (
	"net/netip"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// fakeKernel answers system calls from a list, then with success, and records what each was to send.
type fakeKernel struct {
	answers []syscall.Errno
	groups  []int // bytes
	singles []int // bytes
}

func (k *fakeKernel) answer() (errno syscall.Errno) {
	if len(k.answers) > 0 {
		errno, k.answers = k.answers[0], k.answers[1:]
	}
	return errno
}

func (k *fakeKernel) calls() sendCalls {
	return sendCalls{
		group: func(_ int, y *batchSys) syscall.Errno {
			k.groups = append(k.groups, int(y.iov.Len))
			return k.answer()
		},
		single: func(_ int, _ *batchSys, data []byte) syscall.Errno {
			k.singles = append(k.singles, len(data))
			return k.answer()
		},
	}
}

func TestSendErrors(t *testing.T) {
	for name, test := range map[string]struct {
		lengths         []uint16
		answers         []syscall.Errno
		groups, singles []int
		sent            int
		full, errors    uint64
		fallbacks       uint64
	}{
		"groups and singles": {[]uint16{100, 100, 100, 101}, nil, []int{300}, []int{101}, 4, 0, 0, 0},
		"full at once":       {[]uint16{100, 100, 101}, []syscall.Errno{unix.EAGAIN}, []int{200}, nil, 0, 3, 0, 0},
		"full at the second group": {
			[]uint16{100, 100, 200, 200, 200}, []syscall.Errno{0, unix.EAGAIN}, []int{200, 600}, nil, 2, 3, 0, 0,
		},
		"no buffers for a single one": {
			[]uint16{100, 101, 102}, []syscall.Errno{0, unix.ENOBUFS}, nil, []int{100, 101}, 1, 2, 0, 0,
		},
		"full while falling back": {
			[]uint16{100, 100, 100, 200},
			[]syscall.Errno{unix.EINVAL, 0, unix.EAGAIN},
			[]int{300},
			[]int{100, 100},
			1, 3, 0, 1,
		},
		"no checksums on the route": {
			[]uint16{100, 100, 200, 200},
			[]syscall.Errno{unix.EIO},
			[]int{200},
			[]int{100, 100, 200, 200},
			4, 0, 0, 1,
		},
		"interrupted group":     {[]uint16{100, 100}, []syscall.Errno{unix.EINTR}, []int{200, 200}, nil, 2, 0, 0, 0},
		"refused group":         {[]uint16{100, 100}, []syscall.Errno{unix.ECONNREFUSED}, []int{200, 200}, nil, 2, 0, 0, 0},
		"an earlier ICMP error": {[]uint16{100}, []syscall.Errno{unix.ECONNREFUSED}, nil, []int{100, 100}, 1, 0, 0, 0},
		"too large for the path": {
			[]uint16{1500, 100},
			[]syscall.Errno{unix.EINVAL, unix.EMSGSIZE},
			[]int{1600},
			[]int{1500, 100},
			1, 0, 1, 1,
		},
		"no route": {
			[]uint16{100, 101, 102}, []syscall.Errno{unix.ENETUNREACH}, nil, []int{100}, 0, 0, 3, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, b, k := openSocket(t), NewBatch(), &fakeKernel{answers: test.answers}
			b.sys.calls = k.calls()
			for _, n := range test.lengths {
				b.Commit(int(n))
			}
			sent, dropped := s.Send(s.LocalAddr(), b)
			require.Equal(t, test.groups, k.groups)
			require.Equal(t, test.singles, k.singles)
			require.Equal(t, test.sent, sent)
			require.Equal(t, len(test.lengths)-test.sent, dropped)
			want := Stats{Sent: uint64(test.sent), SendDropped: test.full, SendErrors: test.errors, GSOFallbacks: test.fallbacks}
			require.Equal(t, want, s.Stats())
		})
	}
}

func openSocket(t *testing.T) *UDPSocket {
	t.Helper()
	s, err := ListenUDP(UDPConfig{Address: loopback4})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	require.False(t, s.noGSO, "Linux 4.18 or newer")
	return s
}

func TestZones(t *testing.T) {
	require.Equal(t, uint32(7), scopeID("7"))
	require.Equal(t, uint32(1), scopeID("lo"))
	require.Zero(t, scopeID("no such interface"))

	var y batchSys
	require.True(t, y.setName(netip.MustParseAddrPort("[fe80::1%3]:258"), true))
	require.Equal(t, uint32(3), y.name.Scope_id)
	require.Equal(t, [2]byte{1, 2}, *(*[2]byte)(unsafe.Pointer(&y.name.Port)))

	r := &reader{}
	for range 2 { // the second time from the cache
		require.Equal(t, "[fe80::1%3]:258", r.source(&y.name).String())
	}
}
