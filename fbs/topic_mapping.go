package fbs

// mappingTopic: before 3.27, an application repeated each encoding's scalability mode in the RTP mapping. The worker takes
// it from the encodings, and keeps this one for dumps.
var mappingTopic = Topic{
	Name: "RTP mapping", Until: "3.26.0",
	Text: "scalabilityMode in the mapping of encodings",
}
