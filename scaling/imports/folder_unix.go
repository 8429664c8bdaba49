//go:build unix

package imports

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// isOwn reports whether a file belongs to this process's user.
func isOwn(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && s.Uid == uint32(os.Getuid())
}

// hasEnded reports whether there is no process of that number.
func hasEnded(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
