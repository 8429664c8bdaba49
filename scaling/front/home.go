package front

import (
	"slices"

	"gazpacho/engine/api"
	"gazpacho/scaling/placement"
)

// home is where imports come from: the worker of another application on a node, as far as one Router of that application goes. To
// relays it is a node like others, from which producers are consumed.
//
// It implements api.Worker by requests to the worker of the node that it is on. That has no Router of the application's there; an import
// stands for the one which the originals are in.
type home struct {
	api.Worker
	node    *node
	at      *node // that it is on
	router  *router
	key     string // how the node calls it
	imports []*imported
	via     *imported // that stands for the Router
}

// homeOf returns the home of imports of a Router, by the name that a node has for it.
func (f *Front) homeOf(r *router, at *node, key string) *home {
	i := slices.IndexFunc(f.homes, func(h *home) bool { return h.router == r && h.at == at && h.key == key })
	if i >= 0 {
		return f.homes[i]
	}
	h := &home{Worker: at.worker, at: at, router: r, key: key}
	f.lastIndex++
	h.node = &node{
		front: f, options: NodeOptions{Name: at.name}, name: at.name, index: f.lastIndex, worker: h, pipe: at.pipe, sameHost: at.sameHost, on: at,
	}
	f.homes = append(f.homes, h)
	return h
}

// enter adds an import.
func (h *home) enter(imp *imported) { h.imports, h.via = append(h.imports, imp), imp }

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

// leave takes an import from the home. The last one takes the pipes that lead there with it.
func (h *home) leave(imp *imported) {
	if h.node.gone != nil {
		return
	}
	h.imports = without(h.imports, imp)
	if len(h.imports) > 0 {
		h.via = h.imports[0]
	} else {
		h.node.front.homes = without(h.node.front.homes, h)
		h.closePairs()
		h.closeDataEnd()
		delete(h.router.nodes, h.node)
	}
	h.close(imp)
}

func (h *home) closePairs() {
	for key, p := range h.router.pairs {
		if slices.Contains(key[:], h.node) {
			p.close()
		}
	}
}

func (h *home) closeDataEnd() {
	if id, ok := h.router.dataEnds[h.node]; ok {
		delete(h.router.dataEnds, h.node)
		h.node.tell(api.MethodRouterCloseTransport, h.router.id, &api.RouterCloseTransportRequest{TransportID: id})
	}
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
	case api.MethodRouterCreatePipeTransport, api.MethodRouterCreateDirectTransport, api.MethodRouterCloseTransport:
		sent.HandlerID = h.via.nodeID
	case api.MethodTransportConsume:
		body := *req.Body.(*api.TransportConsumeRequest)
		body.ProducerID = h.nodeID(body.ProducerID)
		sent.Body = &body
	case api.MethodTransportConsumeData:
		body := *req.Body.(*api.TransportConsumeDataRequest)
		body.DataProducerID, body.LinkProducerID = h.nodeID(body.DataProducerID), body.DataProducerID
		sent.Body = &body
	default:
		sent.HandlerID = h.nodeID(req.HandlerID)
	}
	h.Worker.HandleRequest(&sent, reply)
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

// State returns what the node tells of itself.
func (h *home) State() placement.State { return h.at.state() }
