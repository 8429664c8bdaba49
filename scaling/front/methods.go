package front

import "gazpacho/engine/api"

// method is how a request begins: of the worker itself, or of an object. What it returns is what to wait for before it is tried
// again; nothing has happened then.
type method struct {
	worker func(o *operation) *gate
	object func(o *operation, obj object) *gate
}

// of is a method of objects of one type. Other objects do not know it.
func of[O object](begin func(o *operation, obj O) *gate) method {
	return method{object: func(o *operation, obj object) *gate {
		typed, ok := obj.(O)
		if !ok {
			return o.unsupported()
		}
		return begin(o, typed)
	}}
}

// passed is a method of objects of one type that is their node's business alone.
func passed[O object]() method {
	return of(func(o *operation, obj O) *gate { return o.pass(obj.base().node) })
}

// kept is passed for requests that change the object: the last accepted one of each method is made again if the object is restored.
func kept[O object]() method {
	return of(func(o *operation, obj O) *gate {
		e := obj.base()
		return o.passThen(e.node, func(api.ResponseBody) { e.settings.keep(o.req.Method, o.req.Body) })
	})
}

// methods returns all that the protocol has but WORKER_CLOSE, which is the channel's, and TRANSPORT_CONNECT, which no release has.
func methods() map[api.Method]method {
	return map[api.Method]method{
		api.MethodWorkerDump:               {worker: dumpWorker},
		api.MethodWorkerGetResourceUsage:   {worker: getResourceUsage},
		api.MethodWorkerUpdateSettings:     {worker: passToOwn},
		api.MethodWorkerCreateRouter:       {worker: createRouter},
		api.MethodWorkerCloseRouter:        {worker: closeRouter},
		api.MethodWorkerCreateWebRtcServer: {worker: createWebRtcServer},
		api.MethodWorkerWebRtcServerClose:  {worker: closeWebRtcServer},

		api.MethodWebRtcServerDump: of(dumpWebRtcServer),

		api.MethodRouterDump:                            of(dumpRouter),
		api.MethodRouterCreateWebRtcTransport:           of(createTransport),
		api.MethodRouterCreateWebRtcTransportWithServer: of(createTransport),
		api.MethodRouterCreatePlainTransport:            of(createTransport),
		api.MethodRouterCreatePipeTransport:             of(createTransport),
		api.MethodRouterCreateDirectTransport:           of(createTransport),
		api.MethodRouterCloseTransport:                  of(closeTransport),
		api.MethodRouterCreateActiveSpeakerObserver:     of(createObserver),
		api.MethodRouterCreateAudioLevelObserver:        of(createObserver),
		api.MethodRouterCloseRTPObserver:                of(closeObserver),

		api.MethodTransportDump:                  passed[*transport](),
		api.MethodTransportGetStats:              passed[*transport](),
		api.MethodTransportSetMaxIncomingBitrate: kept[*transport](),
		api.MethodTransportSetMaxOutgoingBitrate: kept[*transport](),
		api.MethodTransportSetMinOutgoingBitrate: kept[*transport](),
		api.MethodTransportRestartICE:            of(restartICE),
		api.MethodTransportEnableTraceEvent:      kept[*transport](),
		api.MethodPlainTransportConnect:          kept[*transport](),
		api.MethodPipeTransportConnect:           kept[*transport](),
		api.MethodWebRtcTransportConnect:         kept[*transport](),
		api.MethodTransportProduce:               of(produce),
		api.MethodTransportProduceData:           of(produceData),
		api.MethodTransportConsume:               of(consume),
		api.MethodTransportConsumeData:           of(consumeData),
		api.MethodTransportCloseProducer:         of(closeProducer),
		api.MethodTransportCloseConsumer:         of(closeConsumer),
		api.MethodTransportCloseDataProducer:     of(closeDataProducer),
		api.MethodTransportCloseDataConsumer:     of(closeDataConsumer),

		api.MethodProducerDump:             of(dumpProducer),
		api.MethodProducerGetStats:         passed[*producer](),
		api.MethodProducerPause:            of(pauseProducer),
		api.MethodProducerResume:           of(resumeProducer),
		api.MethodProducerEnableTraceEvent: of(traceProducer),

		api.MethodConsumerDump:               passed[*consumer](),
		api.MethodConsumerGetStats:           of(getConsumerStats),
		api.MethodConsumerPause:              of(pauseConsumer),
		api.MethodConsumerResume:             of(resumeConsumer),
		api.MethodConsumerSetPreferredLayers: of(setPreferredLayers),
		api.MethodConsumerSetPriority:        kept[*consumer](),
		api.MethodConsumerRequestKeyFrame:    passed[*consumer](),
		api.MethodConsumerEnableTraceEvent:   kept[*consumer](),

		api.MethodDataProducerDump:     of(dumpDataProducer),
		api.MethodDataProducerGetStats: passed[*dataProducer](),
		api.MethodDataProducerPause:    of(pauseDataProducer),
		api.MethodDataProducerResume:   of(resumeDataProducer),

		api.MethodDataConsumerDump:                          passed[*dataConsumer](),
		api.MethodDataConsumerGetStats:                      passed[*dataConsumer](),
		api.MethodDataConsumerPause:                         of(pauseDataConsumer),
		api.MethodDataConsumerResume:                        of(resumeDataConsumer),
		api.MethodDataConsumerGetBufferedAmount:             passed[*dataConsumer](),
		api.MethodDataConsumerSetBufferedAmountLowThreshold: kept[*dataConsumer](),
		api.MethodDataConsumerSend:                          passed[*dataConsumer](),
		api.MethodDataConsumerSetSubchannels:                of(changeSubchannels),
		api.MethodDataConsumerAddSubchannel:                 of(changeSubchannels),
		api.MethodDataConsumerRemoveSubchannel:              of(changeSubchannels),

		api.MethodRTPObserverPause:          of(pauseObserver),
		api.MethodRTPObserverResume:         of(resumeObserver),
		api.MethodRTPObserverAddProducer:    of(addToObserver),
		api.MethodRTPObserverRemoveProducer: of(removeFromObserver),
	}
}
