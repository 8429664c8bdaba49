//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// pause is the time between two rounds of reading. No thread blocks in a read, so that the worker under test does not
	// pay for waking one up; packets wait in the sockets' buffers meanwhile.
	pause = 4 * time.Millisecond
	// receiveBuffer is the requested size in bytes; the kernel grants up to net.core.rmem_max.
	receiveBuffer = 4 << 20
	// batch is the number of datagrams per system call.
	batch = 64
	// peek is how many bytes of a datagram are copied: enough to tell RTP from RTCP (RFC 5761 §4), and for the SSRC.
	peek = 12
	// probationSSRC, from mediasoup, marks packets that only probe the bandwidth; they carry no media.
	probationSSRC = 1234
)

// sink owns the receiving sockets. Only loop reads them; counts may be called from other goroutines.
type sink struct {
	fds     []int
	ports   []int
	packets []atomic.Int64
	epoll   int

	headers [batch]mmsghdr
	vectors [batch]unix.Iovec
	bytes   [batch][peek]byte
}

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	header unix.Msghdr
	length uint32
	_      [4]byte
}

func newSink(n int) (*sink, error) {
	epoll, err := unix.EpollCreate1(0)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	s := &sink{epoll: epoll, packets: make([]atomic.Int64, n)}
	for i := range n {
		if err := s.open(i); err != nil {
			return nil, fmt.Errorf("receiver %d: %w", i, err)
		}
	}
	for i := range s.headers {
		s.vectors[i].Base = &s.bytes[i][0]
		s.vectors[i].SetLen(peek)
		s.headers[i].header.Iov = &s.vectors[i]
		s.headers[i].header.SetIovlen(1)
	}
	return s, nil
}

func (s *sink) open(index int) error {
	fd, port, err := listen()
	if err != nil {
		return err
	}
	s.fds, s.ports = append(s.fds, fd), append(s.ports, port)
	return unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(index)})
}

// listen opens a non-blocking UDP socket on 127.0.0.1.
func listen() (fd, port int, err error) {
	fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, 0, err
	}
	if err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer); err != nil {
		return 0, 0, err
	}
	if err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, 0, err
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return 0, 0, err
	}
	return fd, name.(*unix.SockaddrInet4).Port, nil
}

// loop reads until the process ends.
func (s *sink) loop() {
	events := make([]unix.EpollEvent, len(s.fds))
	for {
		n, err := unix.EpollWait(s.epoll, events, 0)
		if err != nil && err != unix.EINTR {
			fmt.Fprintln(os.Stderr, "loadgen: epoll:", err)
			os.Exit(1)
		}
		for _, event := range events[:max(n, 0)] {
			s.drain(int(event.Fd))
		}
		time.Sleep(pause)
	}
}

// drain reads one socket until it is empty and counts the RTP packets.
func (s *sink) drain(index int) {
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(s.fds[index]), uintptr(unsafe.Pointer(&s.headers[0])),
			batch, unix.MSG_DONTWAIT, 0, 0)
		if errno != 0 {
			return
		}
		rtp := 0
		for i := range int(n) {
			if isMedia(s.bytes[i]) {
				rtp++
			}
		}
		s.packets[index].Add(int64(rtp))
		if n < batch {
			return
		}
	}
}

func isMedia(head [peek]byte) bool {
	rtcp := head[1] >= 192 && head[1] <= 223
	return !rtcp && binary.BigEndian.Uint32(head[8:]) != probationSSRC
}

func (s *sink) counts() []int {
	counts := make([]int, len(s.packets))
	for i := range counts {
		counts[i] = int(s.packets[i].Load())
	}
	return counts
}
