package fbs

import "errors"

// closeTopic: up to 3.19.17, a worker was closed by a request, WORKER_CLOSE, which was not answered. Now it is a
// notification, and the request is taken for one. Before 3.19.15 the Node library used neither, but a signal.
var closeTopic = Topic{
	Name: "closing a worker", Until: "3.19.17",
	Text: "WORKER_CLOSE was a request, without answer",
}

// closeMethod returns the number of the request that closes the worker, -1 when there is none.
func closeMethod(s *schema) int16 {
	if e := s.enums["FBS.Request.Method"]; e != nil {
		if number, ok := e.values["WORKER_CLOSE"]; ok {
			return int16(number)
		}
	}
	return -1
}

// isClose reports whether a message could not be decoded because it is the request that closes the worker.
func (q quirks) isClose(err error) bool {
	var unknown *UnknownValueError
	return q.closeMethod >= 0 && errors.As(err, &unknown) &&
		unknown.Type == "FBS.Request.Method" && int16(unknown.Value) == q.closeMethod
}
