package api

// BodyOf returns a request's body as the type which its method wants. A body of another type, none, or one that lacks a part
// which it must have is an error.
func BodyOf[B any](req *Request) (*B, error) {
	body, ok := any(req.Body).(*B)
	if !ok || body == nil {
		return nil, TypeErrorf("wrong or missing body for method %s", req.Method.Name())
	}
	if n, ok := any(body).(needy); ok {
		if name := n.missing(); name != "" {
			return nil, TypeErrorf("missing %s [method:%s]", name, req.Method.Name())
		}
	}
	return body, nil
}
