package fbs

import "sync"

// Session returns the dialect that fronts and nodes speak with each other: that of the newest release of mediasoup, and what
// session.txt adds to it.
func Session() *Dialect { return session() }

var session = sync.OnceValue(func() *Dialect {
	newest, err := schemas.ReadFile(schemaFile(releaseTable()[len(releaseTable())-1].Dialect))
	if err != nil {
		panic("fbs: " + err.Error()) // the file is embedded
	}
	additions, err := schemas.ReadFile("session.txt")
	if err != nil {
		panic("fbs: " + err.Error())
	}
	d, err := newDialect(string(newest) + string(additions))
	if err != nil {
		panic("fbs: embedded schema of sessions: " + err.Error()) // a mistake of the build
	}
	return d
})
