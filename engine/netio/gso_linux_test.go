package netio

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A destination to which the kernel refuses groups, which its peer can bring about, is sent packet by packet. All others on the same
// socket go on with GSO, and the one gets it back when the reason is gone.
func TestARefusalConcernsOneDestination(t *testing.T) {
	for name, reason := range map[string]syscall.Errno{"path MTU": unix.EINVAL, "no checksums on the route": unix.EIO} {
		t.Run(name, func(t *testing.T) {
			s, b := openSocket(t), NewBatch()
			b.Commit(100)
			b.Commit(100)
			poor, rich := netip.MustParseAddrPort("127.0.0.1:1001"), netip.MustParseAddrPort("127.0.0.1:1002")
			refusing, groups, singles := true, map[netip.AddrPort]int{}, map[netip.AddrPort]int{}
			b.sys.calls = sendCalls{
				group: func(_ int, y *batchSys) syscall.Errno {
					groups[y.to]++
					if refusing && y.to == poor {
						return reason
					}
					return 0
				},
				single: func(_ int, y *batchSys, _ []byte) syscall.Errno { singles[y.to]++; return 0 },
			}
			const rounds = 1000
			for range rounds {
				for _, to := range []netip.AddrPort{poor, rich} {
					sent, dropped := s.Send(to, b)
					require.Equal(t, 2, sent)
					require.Zero(t, dropped)
				}
			}
			require.Equal(t, rounds, groups[rich])
			require.Zero(t, singles[rich])
			require.Equal(t, 2*rounds, singles[poor])
			require.LessOrEqual(t, groups[poor], rounds/refusalPause+1, "what is refused is tried rarely")

			refusing = false
			clear(singles)
			for range refusalPause + 1 {
				s.Send(poor, b)
			}
			require.LessOrEqual(t, singles[poor], 2*refusalPause)
			before := groups[poor]
			s.Send(poor, b)
			require.Equal(t, before+1, groups[poor])
		})
	}
}

// A producer whose packets are too long for Ethernet has them refused at every consumer of a room. Ordinary packets to the same
// consumers still leave in groups.
func TestRefusedLongPacketsConcernOnlyThemselves(t *testing.T) {
	s, b := openSocket(t), NewBatch()
	groups, singles := 0, 0
	b.sys.calls = sendCalls{
		group: func(_ int, y *batchSys) syscall.Errno {
			if y.control.size > etherPayload {
				return unix.EINVAL
			}
			groups++
			return 0
		},
		single: func(_ int, _ *batchSys, data []byte) syscall.Errno {
			require.Len(t, data, etherPayload+1)
			singles++
			return 0
		},
	}
	for range 100 {
		for _, length := range []int{etherPayload + 1, etherPayload} {
			b.Reset()
			b.Commit(length)
			b.Commit(length)
			s.Send(s.LocalAddr(), b)
		}
	}
	require.Equal(t, 100, groups)
	require.Equal(t, 200, singles)
}

// Many destinations that refuse, more than are remembered, still concern nobody else and lose nothing.
func TestManyRefusingDestinations(t *testing.T) {
	s, b := openSocket(t), NewBatch()
	b.Commit(100)
	b.Commit(100)
	rich := netip.MustParseAddrPort("127.0.0.1:1")
	singles := 0
	b.sys.calls = sendCalls{
		group: func(_ int, y *batchSys) syscall.Errno {
			if y.to != rich {
				return unix.EINVAL
			}
			return 0
		},
		single: func(_ int, y *batchSys, _ []byte) syscall.Errno {
			require.NotEqual(t, rich, y.to)
			singles++
			return 0
		},
	}
	const destinations = 1000
	for i := range destinations {
		s.Send(netip.MustParseAddrPort(fmt.Sprintf("127.0.0.1:%d", 1000+i)), b)
		s.Send(rich, b)
	}
	require.Equal(t, 2*destinations, singles)
}
