package remote

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"gazpacho/engine/unit"
)

// clock returns the time for sessions. It counts while the machine is suspended, as leases do.
func clock() unit.Time {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic("remote: no clock: " + err.Error()) // Linux has had it since 2.6.39
	}
	return unit.Time(t.Nano())
}

// HostID returns what all processes of this host have in common, and no other host has: the number that the kernel drew when it started.
func HostID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // without it, the host has no sockets in common with others
	return strings.TrimSpace(string(b))
}

// checkPeer wants the process at the other end of a unix socket to be of the same user, or of root.
func checkPeer(c net.Conn) error {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return errors.New("not a unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return err
	}
	var peer *unix.Ucred
	var peerErr error
	if err := raw.Control(func(fd uintptr) { peer, peerErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil {
		return err
	}
	if peerErr != nil {
		return peerErr
	}
	if own := unix.Getuid(); int(peer.Uid) != own && peer.Uid != 0 && own != 0 {
		return fmt.Errorf("the process at the other end is of user %d, not %d", peer.Uid, own)
	}
	return nil
}
