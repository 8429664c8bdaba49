package imports

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"gazpacho/internal/unixsocket"
)

// Folder returns the folder of the sockets, made if it is not there: $GAZPACHO_RUN_DIR, else gazpacho in $XDG_RUNTIME_DIR, else
// /tmp/gazpacho- and the user's number. It is refused unless it belongs to this process's user, and nobody else may enter it.
func Folder() (string, error) {
	folder := os.Getenv("GAZPACHO_RUN_DIR")
	if runtime := os.Getenv("XDG_RUNTIME_DIR"); folder == "" && runtime != "" {
		folder = filepath.Join(runtime, "gazpacho")
	}
	folder = cmp.Or(folder, fmt.Sprint("/tmp/gazpacho-", os.Getuid()))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	info, err := os.Lstat(folder) // a link may lead elsewhere tomorrow
	if err != nil {
		return "", err
	}
	switch {
	case !info.IsDir():
		return "", fmt.Errorf("%s is no folder", folder)
	case !isOwn(info):
		return "", fmt.Errorf("%s belongs to another user", folder)
	case info.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("%s may be entered by others: chmod 700 %s", folder, folder)
	}
	return folder, nil
}

// Socket returns the path of this process's socket in a folder: the parent, which asks, knows the first number.
func Socket(folder string) string {
	return filepath.Join(folder, fmt.Sprint(os.Getppid(), ".", os.Getpid(), ".sock"))
}

// socketName is what Socket calls a socket.
var socketName = regexp.MustCompile(`^\d+\.\d+\.sock$`)

// Sweep removes the sockets of processes that were killed: nobody listens on them any more.
func Sweep(folder string) {
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		if e.Type() == fs.ModeSocket && socketName.MatchString(e.Name()) && unixsocket.IsStale(path) {
			os.Remove(path)
		}
	}
}
