package bus

import (
	"strings"

	"github.com/nats-io/nats-server/v2/server"

	"gazpacho/scaling/identity"
)

// subjects is what the subjects of heartbeats begin with; the name follows.
const subjects = "gazpacho.node."

// subjectOf returns where a node publishes. Dots, which names may have, separate the parts of subjects.
func subjectOf(name string) string { return subjects + strings.ReplaceAll(name, ".", "/") }

// nameOf returns which node publishes on a subject.
func nameOf(subject string) string {
	return strings.ReplaceAll(strings.TrimPrefix(subject, subjects), "/", ".")
}

// permissions lets nodes, whose certificates TLS has verified, publish under their own names only.
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
	c.RegisterUser(&server.User{Username: who.Name, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: []string{subjectOf(who.Name)}},
		Subscribe: &server.SubjectPermission{Allow: []string{subjects + "*"}},
	}})
	return true
}
