//go:build !unix

package main

import (
	"errors"
	"io"
)

// openChannel fails: Go can take over the Node library's descriptors on Unix systems only.
func openChannel() (io.Reader, io.Writer, error) {
	return nil, nil, errors.New("this operating system is not supported")
}

func ignoreSignals() {}
