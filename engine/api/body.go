package api

// BodyOf returns a request's body as the type which its method wants. A body of another type, or none, is an error.
func BodyOf[B any](req *Request) (*B, error) {
	body, ok := any(req.Body).(*B)
	if !ok || body == nil {
		return nil, TypeErrorf("wrong or missing body for method %s", req.Method.Name())
	}
	return body, nil
}
