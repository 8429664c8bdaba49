//go:build !unix

package main

import (
	"errors"
	"os"
)

// openChannel fails: how the Node library passes descriptors is only known to Go on Unix systems.
func openChannel() (in, out *os.File, err error) {
	return nil, nil, errors.New("this operating system is not supported")
}

func ignoreSignals() {}
