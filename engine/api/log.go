package api

// Log is FBS.Log.Log.
type Log struct {
	Data string
}
