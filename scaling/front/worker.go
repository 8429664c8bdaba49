package front

import (
	"cmp"
	"slices"

	"gazpacho/engine/api"
)

// dumpWorker answers from the tables. The process that it tells of is that of the front's own engine.
func dumpWorker(o *operation) *gate {
	f := o.front
	all := make([]object, 0, len(f.objects))
	for _, obj := range f.objects {
		all = append(all, obj)
	}
	slices.SortFunc(all, func(a, b object) int { return cmp.Compare(a.base().sequence, b.base().sequence) })
	handlers := &api.ChannelMessageHandlers{ChannelRequestHandlers: []string{}, ChannelNotificationHandlers: []string{}}
	for _, obj := range all {
		id := obj.base().id
		handlers.ChannelRequestHandlers = append(handlers.ChannelRequestHandlers, id)
		switch obj.(type) {
		case *transport, *producer, *dataProducer:
			handlers.ChannelNotificationHandlers = append(handlers.ChannelNotificationHandlers, id)
		}
	}
	d := &api.WorkerDumpResponse{
		WebRtcServerIDs: append([]string{}, ids(f.servers)...), RouterIDs: append([]string{}, ids(f.routers)...),
		ChannelMessageHandlers: handlers,
	}
	f.own.ask(o.req.Method, "", nil, func(body api.ResponseBody, err error) {
		if own, ok := body.(*api.WorkerDumpResponse); ok {
			d.PID = own.PID
		}
		o.answer(d, err)
	})
	return nil
}

// passToOwn has the front's own engine answer what is about the process: settings of the log.
func passToOwn(o *operation) *gate { return o.pass(o.front.own) }
