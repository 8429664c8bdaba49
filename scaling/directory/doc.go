// Package directory says where a producer is, for other applications of its tenant: a hash table over the nodes of a cluster, one hop
// away. It is the machine of one node, and pure: the owner carries its messages (package bus) and calls it with the time.
//
// # Who holds what
//
// Each node registers what its fronts own. An entry is held by two nodes, those with the highest weight for its key (rendezvous hashing,
// [Weight]): every node finds them by its list of members, without asking. When members come or go, only what they hold or held moves. A
// look-up asks both holders at once, so that one that has just died costs nothing.
//
// # What may be lost
//
// Messages may be lost, and members may differ from node to node for a while. Every two seconds a node tells each holder how many of its
// entries it should have, and a digest of them; a holder that has others asks for all of them again. That is also their lease: without it
// they go after ten seconds, and at once when their node is no member any more.
//
// All that is told of entries has to arrive in the order in which it was sent, if it does; queries and answers may overtake it ([Kind.Bulk]).
//
// A member that has come back is asked for all of them, too, since it may not know that it was away.
//
// A holder whose members have changed just now may not have been told of everything. It says so instead of saying that there is no such
// entry, and is asked again. So what does not exist is known at once in a cluster that is at rest, and after two seconds at most in one that
// is not.
//
// # Bounds
//
// A front and a tenant have so many bytes each on a node ([Limits]); what exceeds them is refused. Tenants do not see each other: the
// tenant is part of the key, and comes from the asking front's certificate.
package directory
