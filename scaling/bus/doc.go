// Package bus is how nodes talk to all others at once: NATS, which no other package knows. It is for nodes only; fronts learn in their
// sessions what they have to know.
//
// Three to five nodes run a server in their process ([Options.Serve]). These are connected with each other, and all nodes are
// clients of one of them, by mutual TLS with the cluster's own certificates (package identity). Only nodes may speak, and a node only under
// its own name: it publishes to subjects that end in the name of its certificate, and hears heartbeats of all others and what is for it
// alone. Instead, an operator's own NATS may be used ([Options.URL]), whose permissions are the operator's matter.
//
// What goes by the bus may be lost: heartbeats (package membership), of which the next one says the same, and messages of one node to
// another (package directory), which finds out what is missing. So nothing is kept for those who are away, and for those who are slow no
// more than [maxPending].
//
// A [Node] is a node's part in it: it publishes the node's heartbeats, keeps the table of all nodes, and carries messages.
package bus
