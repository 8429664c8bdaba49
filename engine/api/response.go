package api

// ResponseBody is the content of a response: a pointer to one of the types that UnionResponseBody lists
// (FBS.Response.Body).
type ResponseBody interface{ isResponseBody() }

// Response answers a [Request] (FBS.Response.Response).
type Response struct {
	ID       uint32
	Accepted bool
	Body     ResponseBody
	Error    string // class of the error when refused
	Reason   string // text of the error when refused
}
