// Package front makes one worker out of many: it implements api.Worker, answers one application, and has other workers carry out
// what the application asks for. A Router may have transports on all of them; media and data go from one to the other over
// relays, which the application does not see.
//
// The front's tables are the truth about which objects exist, where, and in which state they are wanted; the nodes' workers follow.
// One control goroutine owns the tables (Front.run). Requests of the application, answers and notifications of nodes,
// and timers reach it through a queue, so that neither an emitter nor a reply ever calls a worker. Each Router has a lane:
// its requests begin in their order, and those of one lane wait only for that lane's relays and objects that are still being made.
// What has begun is pipelined: nodes keep the order of what they are sent.
//
// When a node that had ended comes back, the tables are compared with it, and what is missing there is made again (router.reconcile).
//
// Package front knows neither network nor clock nor message broker: a node is an api.Worker, wherever it runs.
package front
