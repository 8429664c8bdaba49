package peers_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"gazpacho/peer-tests/app"
)

// workerBinary is the program under test: WORKER_BIN, or a build of this repository with the race detector.
var workerBinary = os.Getenv("WORKER_BIN")

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	if workerBinary != "" {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "mediasoup-worker")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	workerBinary = filepath.Join(dir, "mediasoup-worker")
	build := exec.Command("go", "build", "-buildvcs=false", "-race", "-o", workerBinary, "./cmd/mediasoup-worker")
	build.Dir = ".."
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		return 1
	}
	return m.Run()
}

// start starts a worker with a router.
func start(t testing.TB) *app.Router {
	t.Helper()
	return app.Start(t, workerBinary).NewRouter()
}
