package router

import "iter"

// Table keeps objects by their ids, in the order of their creation. Adding, finding and removing take constant time, since a worker
// may hold tens of thousands. The zero value is an empty table.
type Table[V any] struct {
	index map[string]int // of an id in rows
	rows  []row[V]
}

// row is one object. A removed one leaves an empty row, until more than half of the rows are empty.
type row[V any] struct {
	id    string
	value V
	used  bool
}

// compactFrom is the size below which empty rows are kept.
const compactFrom = 16

// Len returns how many objects there are.
func (t *Table[V]) Len() int { return len(t.index) }

// Has reports whether there is an object with the given id.
func (t *Table[V]) Has(id string) bool {
	_, ok := t.index[id]
	return ok
}

// Find returns the object with the given id.
func (t *Table[V]) Find(id string) (v V, ok bool) {
	i, ok := t.index[id]
	if !ok {
		return v, false
	}
	return t.rows[i].value, true
}

// Add enters an object at the end. Its id must be new.
func (t *Table[V]) Add(id string, v V) {
	if t.Has(id) {
		panic("router: the id " + id + " is entered twice")
	}
	if t.index == nil {
		t.index = map[string]int{}
	}
	t.index[id] = len(t.rows)
	t.rows = append(t.rows, row[V]{id, v, true})
}

// Remove removes an object and returns it. The others keep their order.
func (t *Table[V]) Remove(id string) (v V, ok bool) {
	i, ok := t.index[id]
	if !ok {
		return v, false
	}
	v = t.rows[i].value
	t.rows[i] = row[V]{}
	delete(t.index, id)
	if len(t.rows) > compactFrom && len(t.rows) > 2*len(t.index) {
		t.compact()
	}
	return v, true
}

// compact drops the empty rows. It copies to new memory, so that an iteration under way is not disturbed.
func (t *Table[V]) compact() {
	rows := make([]row[V], 0, max(len(t.index), compactFrom))
	for _, r := range t.rows {
		if r.used {
			t.index[r.id] = len(rows)
			rows = append(rows, r)
		}
	}
	t.rows = rows
}

// All iterates over the objects in the order of their creation. Objects may be removed meanwhile; whether All still yields them is
// not defined.
func (t *Table[V]) All() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, r := range t.rows {
			if r.used && !yield(r.id, r.value) {
				return
			}
		}
	}
}

// IDs returns the ids in the order of creation, in new memory.
func (t *Table[V]) IDs() []string {
	ids := make([]string, 0, len(t.index))
	for id := range t.All() {
		ids = append(ids, id)
	}
	return ids
}
