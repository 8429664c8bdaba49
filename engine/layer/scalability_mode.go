package layer

import (
	"regexp"
	"strconv"
)

// ScalabilityMode says which layers an encoding has (W3C, Scalable Video Coding Extension for WebRTC, section 6).
type ScalabilityMode struct {
	// Name is the mode as dumps show it.
	Name              string
	Spatial, Temporal uint8
	// KeyOnly: higher spatial layers refer to lower ones in key frames only (K-SVC).
	KeyOnly bool
}

// mediasoup's pattern and default: what follows the part that it knows is ignored, and a mode that does not match is one
// layer.
var (
	scalabilityMode = regexp.MustCompile(`^[LS]([1-9]\d?)T([1-9]\d?)(_KEY)?`)
	singleLayer     = ScalabilityMode{Name: "S1T1", Spatial: 1, Temporal: 1}
)

// ParseScalabilityMode parses a mode such as "L3T3_KEY".
func ParseScalabilityMode(mode string) ScalabilityMode {
	m := scalabilityMode.FindStringSubmatch(mode)
	if m == nil {
		return singleLayer
	}
	// Two digits always fit.
	spatial, _ := strconv.ParseUint(m[1], 10, 8)
	temporal, _ := strconv.ParseUint(m[2], 10, 8)
	return ScalabilityMode{Name: mode, Spatial: uint8(spatial), Temporal: uint8(temporal), KeyOnly: m[3] != ""}
}

// highest returns the highest layer of the mode.
func (m *ScalabilityMode) highest() ID { return ID{int16(m.Spatial) - 1, int16(m.Temporal) - 1} }

// Clamp returns l, cut down to the layers that the mode has.
func (m *ScalabilityMode) Clamp(l ID) ID {
	h := m.highest()
	return ID{min(l.Spatial, h.Spatial), min(l.Temporal, h.Temporal)}
}
