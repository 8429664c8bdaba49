package bus

import (
	"strings"

	"github.com/nats-io/nats-server/v2/server"

	"gazpacho/scaling/identity"
)

// What subjects begin with. That of heartbeats is followed by the name of the node, that of messages by those of receiver and sender.
const (
	heartbeats = "gazpacho.node."
	messages   = "gazpacho.to."
)

// token is a node's name in a subject. Dots, which names may have, separate the parts of subjects.
func token(name string) string { return strings.ReplaceAll(name, ".", "/") }

// senderOf returns which node publishes on a subject: the last part says so.
func senderOf(subject string) string {
	return strings.ReplaceAll(subject[strings.LastIndexByte(subject, '.')+1:], "/", ".")
}

// permissionsOf lets a node publish under its own name only, and hear what all are told or it alone.
func permissionsOf(name string) *server.Permissions {
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: []string{heartbeats + token(name), messages + "*." + token(name)}},
		Subscribe: &server.SubjectPermission{Allow: []string{heartbeats + "*", messages + token(name) + ".*"}},
	}
}

// permissions are for nodes, whose certificates TLS has verified.
type permissions struct{}

// Check implements [server.Authentication].
func (permissions) Check(c server.ClientAuthentication) bool {
	state := c.GetTLSConnectionState()
	if state == nil {
		return false
	}
	who, err := identity.Peer(*state)
	if err != nil {
		return false
	}
	c.RegisterUser(&server.User{Username: who.Name, Permissions: permissionsOf(who.Name)})
	return true
}
