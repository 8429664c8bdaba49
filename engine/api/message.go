package api

// MessageBody is the union FBS.Message.Body; each member is a pointer to one of the types that UnionMessageBody lists.
type MessageBody interface{ isMessageBody() }

// Message is FBS.Message.Message.
type Message struct {
	Data MessageBody
}
