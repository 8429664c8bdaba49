package front

import (
	"strconv"

	"gazpacho/engine/api"
)

// hidden is an object of the front's own on a node, which the application does not see.
type hidden interface {
	of() *router
	// handleEvent takes what the node tells of it.
	handleEvent(n *node, e *api.Notification)
}

// newID returns an id for a hidden object. Those of the application are UUIDs.
func (f *Front) newID(what string) string {
	f.lastID++
	return "gazpacho/" + what + "/" + strconv.FormatUint(f.lastID, 10)
}
