package front

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/scaling/placement"
)

// home is where imports come from: the worker of another application on a node, as far as one Router of that application goes. To
// relays it is a node like others, from which producers are consumed.
//
// It implements api.Worker by requests to the node that it is on. That has no Router of the application's there; an import stands for
// the one which the originals are in.
type home struct {
	node    *node
	at      *node // that it is on
	router  *router
	key     string // how the node calls it
	imports []*imported
	pipes   map[string]bool // ids of transports
}

// homeOf returns the home of imports of a Router, by the name that a node has for it.
func (f *Front) homeOf(r *router, at *node, key string) *home {
	i := slices.IndexFunc(f.homes, func(h *home) bool { return h.router == r && h.at == at && h.key == key })
	if i >= 0 {
		return f.homes[i]
	}
	h := &home{at: at, router: r, key: key, pipes: map[string]bool{}}
	f.lastIndex++
	h.node = &node{
		front: f, options: NodeOptions{Name: at.name}, name: at.name, index: f.lastIndex, worker: h, pipe: at.pipe, sameHost: at.sameHost, on: at,
	}
	f.homes = append(f.homes, h)
	return h
}

// loseHome takes the end of a home, which may come back as another one.
func (f *Front) loseHome(h *home, why error) {
	f.homes = without(f.homes, h)
	f.endCalls(h.node, why)
	h.router.loseNode(h.node)
	for _, imp := range h.imports {
		if h.at.gone == nil {
			h.close(imp)
		}
		imp.seekAgain()
	}
}

// leave takes an import from the home, which is closed with the last one.
func (h *home) leave(imp *imported) {
	h.imports = without(h.imports, imp)
	if h.node.gone != nil {
		return
	}
	if len(h.imports) == 0 {
		for id := range h.pipes {
			h.at.tell(api.MethodRouterCloseTransport, imp.nodeID, &api.RouterCloseTransportRequest{TransportID: id})
		}
		h.pipes = nil
		f := h.node.front
		f.homes = without(f.homes, h)
	}
	h.close(imp)
}

// close has the node forget an import.
func (h *home) close(imp *imported) {
	h.at.tell(api.MethodWorkerCloseRouter, "", &api.WorkerCloseRouterRequest{RouterID: imp.nodeID})
}

// HandleRequest implements api.Worker.
func (h *home) HandleRequest(req *api.Request, reply func(api.ResponseBody, error)) {
	sent := *req
	switch req.Method {
	case api.MethodWorkerCreateRouter, api.MethodWorkerCloseRouter:
		reply(nil, nil)
		return
	case api.MethodRouterCreatePipeTransport, api.MethodRouterCloseTransport:
		if len(h.imports) == 0 { // and nothing is left there
			reply(nil, api.Errorf("nothing of the application is used any more"))
			return
		}
		sent.HandlerID = h.imports[0].nodeID
		delete(h.pipes, req.Closes())
		if id := req.Creates(); id != "" {
			h.pipes[id] = true
		}
	case api.MethodTransportConsume:
		body := *req.Body.(*api.TransportConsumeRequest)
		body.ProducerID = h.nodeID(body.ProducerID)
		sent.Body = &body
	default:
		sent.HandlerID = h.nodeID(req.HandlerID)
	}
	h.at.worker.HandleRequest(&sent, reply)
}

// nodeID returns how the node calls an object: other ones than imports it calls like the front.
func (h *home) nodeID(id string) string {
	i := slices.IndexFunc(h.imports, func(imp *imported) bool { return imp.id == id })
	if i < 0 {
		return id
	}
	return h.imports[i].nodeID
}

// HandleNotification implements api.Worker: an import takes nothing.
func (h *home) HandleNotification(*api.Notification) error {
	return api.Errorf("the producer is another application's")
}

// RouterOf implements api.Worker. The front knows it.
func (h *home) RouterOf(string) string { return "" }

// Load implements api.Worker.
func (h *home) Load() api.Load { return h.at.worker.Load() }

// State returns what the node tells of itself.
func (h *home) State() placement.State { return h.at.state() }

// Done implements api.Worker. The end of the node is the home's.
func (h *home) Done() <-chan struct{} { return h.at.worker.Done() }

// Err implements api.Worker.
func (h *home) Err() error { return h.at.worker.Err() }

// Close implements api.Worker: imports end one by one.
func (h *home) Close() {}
