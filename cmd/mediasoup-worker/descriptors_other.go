//go:build !unix

package main

import (
	"errors"
	"io"
)

// openChannel fails: how the Node library passes descriptors is only known to Go on Unix systems.
func openChannel() (io.Reader, io.Writer, error) {
	return nil, nil, errors.New("this operating system is not supported")
}

func ignoreSignals() {}
