package api

// Log is a line for the application's log; its first character is the level: D(ebug), W(arn), E(rror) or X (a dump)
// (FBS.Log.Log).
type Log struct {
	Data string
}
