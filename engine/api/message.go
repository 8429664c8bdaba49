package api

// MessageBody is the content of a message: a pointer to one of the types that UnionMessageBody lists
// (FBS.Message.Body).
type MessageBody interface{ isMessageBody() }

// Message is what a frame carries (FBS.Message.Message).
type Message struct {
	Data MessageBody
}
