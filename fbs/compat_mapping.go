package fbs

// mappingRule: before 3.27, an application repeated each encoding's scalability mode in the RTP mapping. The worker takes
// it from the encodings, and keeps this one for dumps.
var mappingRule = CompatRule{
	Name: "RTP mapping", Until: "3.26.0",
	Text: "scalabilityMode in the mapping of encodings",
}
