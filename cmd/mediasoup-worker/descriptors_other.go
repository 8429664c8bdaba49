//go:build !unix

package main

import (
	"errors"
	"io"
)

// openChannel fails: Go can take over the descriptors that the Node library passes only on Unix systems.
func openChannel() (io.Reader, io.Writer, error) {
	return nil, nil, errors.New("this operating system is not supported")
}

func ignoreSignals() {}
