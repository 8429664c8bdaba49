//go:build unix && !linux

package main

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// openChannel returns the streams of the channel.
func openChannel() (in io.Reader, out io.Writer, err error) {
	if err := checkDescriptor(inFD, unix.O_RDONLY); err != nil {
		return nil, nil, err
	}
	if err := checkDescriptor(outFD, unix.O_WRONLY); err != nil {
		return nil, nil, err
	}
	return os.NewFile(inFD, "channel input"), os.NewFile(outFD, "channel output"), nil
}
