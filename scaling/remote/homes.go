package remote

import (
	"gazpacho/scaling/directory"
	"gazpacho/scaling/federation"
)

// homes has other applications of the tenant find the producers of a guest's worker.
type homes struct {
	index  *index
	tenant string
	guest  string // what it is called in the directory
	node   string
}

var _ federation.Registry = homes{}

// homesOf returns those of a guest in a conversation that begins.
func homesOf(g *guest, o *Opening) homes {
	return homes{&g.server.index, o.Tenant, g.key(), g.server.options.Name}
}

// Enter implements [federation.Registry].
func (h homes) Enter(producerID string, piped bool) {
	e := directory.Entry{Key: directory.Key{Tenant: h.tenant, ID: producerID}, Value: h.node}
	if !piped {
		e.Version = 1
	}
	h.index.register(h.guest, e)
}

// Leave implements [federation.Registry].
func (h homes) Leave(producerID string) {
	h.index.unregister(h.guest, directory.Key{Tenant: h.tenant, ID: producerID})
}

// key is what the guest is called in the directory.
func (g *guest) key() string { return string(g.id[:]) }
