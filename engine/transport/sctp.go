package transport

import "gazpacho/engine/unit"

// handleSCTP takes an SCTP packet.
func (t *Transport) handleSCTP(now unit.Time, packet []byte) {
	t.drops.SCTPUnexpected++
}
