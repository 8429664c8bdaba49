package bwe

// lossHistoryLen is upstream's value.
const lossHistoryLen = 24

// lossHistory averages the loss that feedback packets report. The newest has the greatest weight, and each older one a
// step less (upstream's rule). Its values feed statistics only.
type lossHistory struct {
	values  [lossHistoryLen]float64 // a ring
	next, n int
	average float64 // 0 to 1
}

func (h *lossHistory) add(lost, expected int) {
	if expected <= 0 {
		return
	}
	h.values[h.next] = float64(lost) / float64(expected)
	h.next = (h.next + 1) % lossHistoryLen
	h.n = min(h.n+1, lossHistoryLen)
	sum := 0.0
	for weight := h.n; weight > 0; weight-- {
		age := h.n - weight
		sum += float64(weight) * h.values[(h.next-1-age+lossHistoryLen)%lossHistoryLen]
	}
	h.average = sum / float64(h.n*(h.n+1)/2)
}
