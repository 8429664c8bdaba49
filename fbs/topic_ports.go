package fbs

// portsTopic: a listen info has grown. Up to 3.13.5 it had no flags, up to 3.13.24 no port range, and up to 3.16.8 it did
// not say whether to expose the internal IP. Without them, the worker takes its own range, sets no flags, and exposes
// nothing; so the zero values of engine/api are right.
var portsTopic = Topic{
	Name: "listen infos", Until: "3.16.8",
	Text: "no flags up to 3.13.5, no portRange up to 3.13.24, no exposeInternalIp",
}
