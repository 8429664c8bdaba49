// Package imports is how the process of an application asks its front for producers of other applications. mediasoup's protocol has no
// words for that, so the front listens on a unix socket which only its user can reach.
//
// Each connection is one import. The process sends a line with a JSON object, and gets an answer and then events, a line each:
//
//	→ {"import":{"routerId":"…","producerId":"…"}}
//	← {"import":{"id":"…","kind":"video","rtpParameters":{…},"paused":false}}
//	← {"event":"paused"}
//
// A data producer is asked for by its dataProducerId; the answer has sctpStreamParameters, label and protocol in place of kind and
// rtpParameters. In place of either there may be {"error":{"code":"PRODUCER_NOT_FOUND","message":"…"}}. The codes are those of [front.ImportCode], the events those of
// [front.ImportEvent]. The connection ends with the import; if the process ends it before, the import ends unless it was produced.
package imports
