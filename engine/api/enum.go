package api

import "strconv"

// enumName returns the name of v, or its number when the schema knows none.
func enumName(names []string, v uint8) string {
	if int(v) < len(names) && names[v] != "" {
		return names[v]
	}
	return strconv.Itoa(int(v))
}
