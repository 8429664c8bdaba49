// Package federation lets the applications of one tenant use each other's producers on a node. A [Node] is where their workers meet:
// each is a [Member], an [api.Worker] that passes what it is asked for on to a worker of its own. What is for a producer of another
// member goes to that one's worker.
//
// A front imports a producer or a data producer by the request that creates a Router, with its id in it. If a member of the same tenant has
// it on this node, the answer describes it, and the id of the request stands for the producer and for its Router from then on:
//
//   - as a Router it takes requests for internal PipeTransports and DirectTransports, which are then made in the producer's own Router, and
//     for closing them;
//   - these transports take what a relay needs: being connected, a pipe consumer or a data consumer of what was imported from the same
//     Router, statistics;
//   - as a producer it tells its dump and statistics, and notifies of scores, of the camera's orientation, and by internal events
//     (EventImportPaused and those that follow it) of what its application does with it.
//
// The owner's worker gets the requests under ids of the node's own. So the owner's front sees nothing of it: it makes its dumps and
// counts from its own tables, what the worker notifies of these ids goes to the front that has imported, and requests to them are
// refused.
package federation
