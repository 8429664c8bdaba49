package pipe

// UsedSSRCs has given away n numbers.
func UsedSSRCs(n uint32) *SSRCs { return &SSRCs{used: n} }
