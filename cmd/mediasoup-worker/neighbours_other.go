//go:build !linux

package main

// neighbours are not counted on this system.
type neighbours struct{}

func newNeighbours() *neighbours { return &neighbours{} }

func (*neighbours) workers() int { return 1 }
