package rtp

import "gazpacho/engine/unit"

// Header is the fixed header of a packet to be written.
type Header struct {
	Marker         bool
	PayloadType    uint8
	SequenceNumber unit.SeqNo
	Timestamp      unit.Timestamp
	SSRC           unit.SSRC
}

// AppendHeader appends a header with the given extensions to b and returns the longer slice.
func AppendHeader(b []byte, h Header, exts []Extension) []byte { return b }
