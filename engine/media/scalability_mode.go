package media

import (
	"regexp"
	"strconv"
)

// layers of an encoding, as its scalability mode tells (W3C Scalable Video Coding extension for WebRTC, section 6).
type layers struct {
	mode              string
	spatial, temporal uint8
	// keyOnly: higher spatial layers refer to lower ones in key frames only ("K-SVC").
	keyOnly bool
}

// Upstream's pattern and default: what follows the part it knows does not matter, and a mode it does not match counts
// as one layer.
var (
	scalabilityMode = regexp.MustCompile(`^[LS]([1-9]\d?)T([1-9]\d?)(_KEY)?`)
	singleLayer     = layers{mode: "S1T1", spatial: 1, temporal: 1}
)

func parseScalabilityMode(mode string) layers {
	m := scalabilityMode.FindStringSubmatch(mode)
	if m == nil {
		return singleLayer
	}
	// Two digits always fit.
	spatial, _ := strconv.ParseUint(m[1], 10, 8)
	temporal, _ := strconv.ParseUint(m[2], 10, 8)
	return layers{mode: mode, spatial: uint8(spatial), temporal: uint8(temporal), keyOnly: m[3] != ""}
}
