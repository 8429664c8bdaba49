package unit

// Bounds are the upper bounds of a histogram's buckets, in rising order.
type Bounds [12]float64

// Histogram counts observations by size. It takes no memory but its own.
type Histogram struct {
	Counts [len(Bounds{}) + 1]uint64 // of each bucket alone; the last one is of what is above all bounds
	Sum    float64
}

// Observe counts v.
func (h *Histogram) Observe(b *Bounds, v float64) {
	i := 0
	for i < len(b) && v > b[i] {
		i++
	}
	h.Counts[i]++
	h.Sum += v
}

// Count returns how many observations there are.
func (h *Histogram) Count() (n uint64) {
	for _, c := range h.Counts {
		n += c
	}
	return n
}
