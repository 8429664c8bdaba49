package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestParentIsKilled checks that the worker exits when its application is killed.
func TestParentIsKilled(t *testing.T) {
	alive, theirs, err := os.Pipe()
	require.NoError(t, err)
	parent := exec.Command(os.Args[0], "play-parent", binaryPath)
	parent.ExtraFiles = []*os.File{theirs}
	stdout, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	require.NoError(t, theirs.Close())
	var pid int
	_, err = fmt.Fscanln(stdout, &pid)
	require.NoError(t, err)
	require.Positive(t, pid)
	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()
	// The worker holds the last copy of the pipe's other end.
	require.NoError(t, alive.SetReadDeadline(time.Now().Add(patience)))
	_, err = alive.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err)
}

// playParent is the application that gets killed. It starts a worker whose standard input is this process's descriptor 3,
// prints the worker's pid when it is running, and blocks.
func playParent() {
	var pairs [2][2]int
	for i := range pairs {
		fds, err := socketDescriptors()
		if err != nil {
			panic(err)
		}
		pairs[i] = fds
	}
	alive := os.NewFile(3, "alive")
	unix.CloseOnExec(3)
	worker := exec.Command(os.Args[2])
	worker.Env = []string{versionEnv + "=3.27.1"}
	worker.Stdin = alive
	worker.ExtraFiles = []*os.File{os.NewFile(uintptr(pairs[0][1]), "in"), os.NewFile(uintptr(pairs[1][1]), "out")}
	if err := worker.Start(); err != nil {
		panic(err)
	}
	_ = errors.Join(worker.ExtraFiles[0].Close(), worker.ExtraFiles[1].Close())
	from := os.NewFile(uintptr(pairs[1][0]), "from")
	if _, err := from.Read(make([]byte, 1)); err != nil { // the worker is running
		panic(err)
	}
	fmt.Println(worker.Process.Pid)
	select {}
}
