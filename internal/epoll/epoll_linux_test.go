package epoll_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gazpacho/internal/epoll"
)

func open(t *testing.T) *epoll.Instance {
	t.Helper()
	i, err := epoll.New()
	require.NoError(t, err)
	t.Cleanup(i.Close)
	return i
}

// pair returns two connected sockets.
func pair(t *testing.T) (ours, theirs int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fds[0]) })
	return fds[0], fds[1]
}

func write(t *testing.T, fd int) {
	t.Helper()
	n, err := unix.Write(fd, []byte("x"))
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestWaitReportsInput(t *testing.T) {
	i := open(t)
	a, peerA := pair(t)
	b, peerB := pair(t)
	defer unix.Close(peerA)
	defer unix.Close(peerB)
	require.NoError(t, i.Add(a))
	require.NoError(t, i.Add(b))
	var ready [4]epoll.Event

	write(t, peerB)
	n, err := i.Wait(ready[:])
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.EqualValues(t, b, ready[0].Fd)

	write(t, peerA)
	n, err = i.Wait(ready[:])
	require.NoError(t, err)
	require.Equal(t, 2, n, "b still has its input")
	n, err = i.Wait(ready[:1])
	require.NoError(t, err)
	require.Equal(t, 1, n, "no more than fit")
}

// Wait returns for input only, not when the other side reads and so makes room to send.
func TestRoomToSendDoesNotWake(t *testing.T) {
	i := open(t)
	ours, theirs := pair(t)
	defer unix.Close(theirs)
	require.NoError(t, i.Add(ours))
	woken := make(chan uint32)
	go func() {
		var ready [1]epoll.Event
		i.Wait(ready[:])
		woken <- ready[0].Events
	}()
	for range 100 {
		write(t, ours)
		_, err := unix.Read(theirs, make([]byte, 1))
		require.NoError(t, err)
	}
	write(t, theirs)
	require.EqualValues(t, unix.EPOLLIN, <-woken)
}

func TestWaitReportsThatTheOtherSideClosed(t *testing.T) {
	i := open(t)
	ours, theirs := pair(t)
	require.NoError(t, i.Add(ours))
	require.NoError(t, unix.Close(theirs))
	var ready [1]epoll.Event
	n, err := i.Wait(ready[:])
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestCloseEndsWait(t *testing.T) {
	i := open(t)
	ended := make(chan error)
	go func() {
		_, err := i.Wait(make([]epoll.Event, 1))
		ended <- err
	}()
	i.Close()
	require.ErrorIs(t, <-ended, os.ErrClosed)
	require.ErrorIs(t, i.Add(0), os.ErrClosed)
}

func TestAddErrors(t *testing.T) {
	i := open(t)
	ours, theirs := pair(t)
	defer unix.Close(theirs)
	require.NoError(t, i.Add(ours))
	require.ErrorIs(t, i.Add(ours), unix.EEXIST)
	require.ErrorIs(t, i.Add(-1), unix.EBADF)
}
