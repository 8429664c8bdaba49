//go:build linux

package main

import (
	"crypto/aes"
	"crypto/cipher"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// rounds × perRound operations are timed; the result is the median round.
const (
	rounds   = 200
	perRound = 50
)

// cost is the time of one operation on this machine, in microseconds.
type cost struct{ sendto, seal float64 }

// calibrate measures the two operations that every forwarded packet needs: one sendto over loopback and one seal.
func calibrate(size int) (c cost, err error) {
	if c.sendto, err = sendtoCost(size); err != nil {
		return c, err
	}
	c.seal, err = sealCost(size)
	return c, err
}

func sendtoCost(size int) (float64, error) {
	from, _, err := listen()
	if err != nil {
		return 0, err
	}
	defer unix.Close(from)
	to, port, err := listen()
	if err != nil {
		return 0, err
	}
	defer unix.Close(to)
	address := &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}
	data := make([]byte, size)
	return typical(func() error {
		return unix.Sendto(from, data, 0, address)
	}, func() error {
		for {
			if _, _, err := unix.Recvfrom(to, data, 0); err == unix.EAGAIN {
				return nil
			} else if err != nil {
				return err
			}
		}
	})
}

func sealCost(size int) (float64, error) {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		return 0, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return 0, err
	}
	nonce, data, out := make([]byte, gcm.NonceSize()), make([]byte, size), make([]byte, 0, size+gcm.Overhead())
	return typical(func() error {
		gcm.Seal(out, nonce, data, nil)
		return nil
	}, func() error { return nil })
}

// typical times rounds of operation, calls between untimed after each round, and returns the time of one operation in the
// median round, in microseconds.
func typical(operation, between func() error) (float64, error) {
	took := make([]time.Duration, 0, rounds)
	for range rounds {
		start := time.Now()
		for range perRound {
			if err := operation(); err != nil {
				return 0, err
			}
		}
		took = append(took, time.Since(start))
		if err := between(); err != nil {
			return 0, err
		}
	}
	return median(took).Seconds() * 1e6 / perRound, nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
