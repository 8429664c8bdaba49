package api

// ResponseBody is the union FBS.Response.Body; each member is a pointer to one of the types that UnionResponseBody lists.
type ResponseBody interface{ isResponseBody() }

// Response is FBS.Response.Response.
type Response struct {
	ID       uint32
	Accepted bool
	Body     ResponseBody
	Error    string
	Reason   string
}
