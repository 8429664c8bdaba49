package fbs

import "maps"

// Retired lists what the newest dialect lacks: what older ones have, and what none has.
var Retired = func() map[string]bool {
	all := maps.Clone(retired)
	maps.Copy(all, internal)
	return all
}()
