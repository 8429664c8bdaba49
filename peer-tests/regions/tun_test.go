package regions_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// on calls f in the network namespace of a host.
func on(t *testing.T, host string, f func() error) {
	t.Helper()
	runtime.LockOSThread() // the thread that a namespace belongs to
	defer runtime.UnlockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	require.NoError(t, err)
	defer here.Close()
	there, err := os.Open(filepath.Join("/run/netns", host))
	require.NoError(t, err)
	defer there.Close()
	require.NoError(t, unix.Setns(int(there.Fd()), unix.CLONE_NEWNET))
	ferr := f()
	require.NoError(t, unix.Setns(int(here.Fd()), unix.CLONE_NEWNET))
	require.NoError(t, ferr)
}

// ip runs the command on the host that connects all others.
func ip(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.Command("ip", append([]string{"-n", routerHost}, args...)...).CombinedOutput()
	require.NoError(t, err, "ip %v: %s", args, out)
}

// tun makes an interface whose packets the test reads and writes, and routes to it what the rules say.
func tun(t *testing.T, name, table string, rules ...[]string) *os.File {
	t.Helper()
	var fd int
	on(t, routerHost, func() (err error) {
		if fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0); err != nil {
			return err
		}
		request, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		return unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	})
	file := os.NewFile(uintptr(fd), name)
	t.Cleanup(func() { file.Close() })
	ip(t, "link", "set", name, "up", "txqueuelen", "10000")
	ip(t, "route", "add", "default", "dev", name, "table", table)
	add := func(rule ...string) {
		ip(t, append([]string{"rule", "add"}, rule...)...)
		t.Cleanup(func() { ip(t, append([]string{"rule", "delete"}, rule...)...) })
	}
	add("priority", "20", "iif", name, "lookup", "main") // what has been through it
	for _, rule := range rules {
		add(append(rule, "lookup", table)...)
	}
	return file
}

// packets calls take with each packet that is routed to an interface, until it is closed.
func packets(f *os.File, take func(b []byte)) {
	for b := make([]byte, 1<<16); ; {
		n, err := f.Read(b)
		if err != nil {
			return
		}
		take(b[:n])
	}
}
