package ice

// tupleList holds up to MaxTuples valid tuples, in order of arrival, and which of them is selected.
type tupleList struct {
	tuples      [MaxTuples]Tuple
	count       int
	selected    Tuple // in the list, if hasSelected
	hasSelected bool
}

func (l *tupleList) selectedTuple() (Tuple, bool) { return l.selected, l.hasSelected }

// has is called for each packet; most come from the selected tuple.
func (l *tupleList) has(t Tuple) bool {
	return l.hasSelected && l.selected == t || l.find(t) >= 0
}

func (l *tupleList) find(t Tuple) int {
	for i := range l.count {
		if l.tuples[i] == t {
			return i
		}
	}
	return -1
}

func (l *tupleList) newest() (Tuple, bool) {
	if l.count == 0 {
		return Tuple{}, false
	}
	return l.tuples[l.count-1], true
}

// list returns the tuples, newest first.
func (l *tupleList) list() []Tuple {
	tuples := make([]Tuple, 0, l.count)
	for i := l.count - 1; i >= 0; i-- {
		tuples = append(tuples, l.tuples[i])
	}
	return tuples
}

// add appends t, which must not be in the list. A full list makes room by dropping its oldest tuple that is not selected.
func (l *tupleList) add(t Tuple) (evicted Tuple, full bool) {
	if full = l.count == MaxTuples; full {
		i := 0
		if l.hasSelected && l.tuples[0] == l.selected {
			i = 1
		}
		evicted = l.tuples[i]
		l.removeAt(i)
	}
	l.tuples[l.count] = t
	l.count++
	return evicted, full
}

// choose selects a tuple of the list. It returns false if it is selected already.
func (l *tupleList) choose(t Tuple) bool {
	if l.hasSelected && l.selected == t {
		return false
	}
	l.selected, l.hasSelected = t, true
	return true
}

func (l *tupleList) remove(t Tuple) (wasSelected, ok bool) {
	i := l.find(t)
	if i < 0 {
		return false, false
	}
	l.removeAt(i)
	if wasSelected = l.hasSelected && l.selected == t; wasSelected {
		l.selected, l.hasSelected = Tuple{}, false
	}
	return wasSelected, true
}

func (l *tupleList) removeAt(i int) {
	copy(l.tuples[i:l.count], l.tuples[i+1:l.count])
	l.count--
	l.tuples[l.count] = Tuple{}
}

func (l *tupleList) clear() { *l = tupleList{} }
