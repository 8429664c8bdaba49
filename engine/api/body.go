package api

// BodyOf returns a request's body as the type its method requires. It fails if there is none, if it has another type or lacks a
// required part.
func BodyOf[B any](req *Request) (*B, error) {
	body, ok := any(req.Body).(*B)
	if !ok || body == nil {
		return nil, TypeErrorf("wrong or missing body for method %s", req.Method.Name())
	}
	if v, ok := any(body).(validator); ok {
		if name := v.missingField(); name != "" {
			return nil, TypeErrorf("missing %s [method:%s]", name, req.Method.Name())
		}
	}
	return body, nil
}
