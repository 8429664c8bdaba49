package fbs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"

	"gazpacho/engine/api"
)

// Bounds of decoding.
const (
	// maxDepth is the nesting of tables which FlatBuffers' own verifier accepts by default.
	maxDepth = 64

	// Chosen here: a message may make the decoder allocate baseBudget bytes, and budgetFactor for each of its own. The
	// smallest table on the wire has 8 bytes, its offset included, and becomes a struct of less than 100. Without this bound,
	// many offsets to the same bytes would turn a small message into gigabytes.
	baseBudget   = 4096
	budgetFactor = 16
)

// DecodeMessage returns the content of a message: an [*api.Request], [*api.Response], [*api.Notification] or
// [*api.Log]. b is a frame's payload, without the length in front; nothing of it is kept.
//
// The error wraps [ErrMalformed] or is an [*UnknownValueError], inside a [*RequestError] when the sender waits for an
// answer and its id could be read.
func (d *Dialect) DecodeMessage(b []byte) (api.MessageBody, error) {
	dec := decoder{buf: b, budget: baseBudget + budgetFactor*len(b)}
	var m api.Message
	root, err := dec.offset(0)
	if err == nil {
		err = dec.table(d.root, root, reflect.ValueOf(&m).Elem())
	}
	if err == nil && m.Data == nil {
		err = malformedf("nothing in it")
	}
	if err == nil {
		return m.Data, nil
	}
	// Fields are decoded in the order of slots, so the id is known when anything behind it is wrong.
	if req, ok := m.Data.(*api.Request); ok && req.ID != 0 {
		return nil, &RequestError{ID: req.ID, UnknownMethod: isUnknownMethod(err), Err: err}
	}
	return nil, err
}

// isUnknownMethod reports whether err is about a request's method.
func isUnknownMethod(err error) bool {
	var unknown *UnknownValueError
	return errors.As(err, &unknown) && unknown.Type == "FBS.Request.Method"
}

// decoder reads one message. Positions are offsets into buf.
type decoder struct {
	buf    []byte
	budget int // bytes that may still be allocated
	depth  int
}

// view is a table whose bounds have been checked.
type view struct {
	pos           int
	vtable, vsize int
}

// u32 reads at a position that has been checked.
func (d *decoder) u32(pos int) uint32 { return binary.LittleEndian.Uint32(d.buf[pos:]) }

func (d *decoder) u16(pos int) int { return int(binary.LittleEndian.Uint16(d.buf[pos:])) }

// has reports whether size bytes at pos are within the message.
func (d *decoder) has(pos, size int) bool { return pos <= len(d.buf)-size }

// take charges n bytes that are about to be allocated.
func (d *decoder) take(n int) error {
	if d.budget -= n; d.budget < 0 {
		return malformedf("its content is too large for its %d bytes", len(d.buf))
	}
	return nil
}

// offset follows the offset at pos, to a place that has at least an offset's size.
func (d *decoder) offset(pos int) (int, error) {
	if !d.has(pos, offsetSize) {
		return 0, malformedf("no offset at %d", pos)
	}
	target := int64(pos) + int64(d.u32(pos))
	if target == int64(pos) || target > int64(len(d.buf)-offsetSize) {
		return 0, malformedf("the offset at %d points to %d of %d", pos, target, len(d.buf))
	}
	return int(target), nil
}

// view checks the table at pos, where an offset is known to fit, and its vtable. The table size in the vtable is of no
// use: FlatBuffers for Go lets tables share a vtable when they differ in size only.
func (d *decoder) view(pos int) (view, error) {
	vtable := int64(pos) - int64(int32(d.u32(pos)))
	if vtable < 0 || vtable > int64(len(d.buf)-vtableHeaderSize) {
		return view{}, malformedf("the table at %d has its vtable at %d", pos, vtable)
	}
	t := view{pos: pos, vtable: int(vtable)}
	t.vsize = d.u16(t.vtable)
	if t.vsize < vtableHeaderSize || t.vsize%vtableEntrySize != 0 || !d.has(t.vtable, t.vsize) {
		return view{}, malformedf("the vtable at %d has %d bytes", t.vtable, t.vsize)
	}
	return t, nil
}

// slot returns the position of a field of the given size in the table, 0 when it is absent.
func (d *decoder) slot(t view, slot, size int) (int, error) {
	entry := vtableHeaderSize + slot*vtableEntrySize
	if entry >= t.vsize {
		return 0, nil
	}
	at := d.u16(t.vtable + entry)
	if at == 0 {
		return 0, nil
	}
	if at < offsetSize || !d.has(t.pos+at, size) {
		return 0, malformedf("the table at %d has a field of %d bytes at %d", t.pos, size, at)
	}
	return t.pos + at, nil
}

// table decodes the table at pos into the struct v, which is zero.
func (d *decoder) table(p *tablePlan, pos int, v reflect.Value) error {
	if d.depth++; d.depth > maxDepth {
		return malformedf("more than %d nested tables", maxDepth)
	}
	t, err := d.view(pos)
	if err != nil {
		return err
	}
	if p.oldTable != nil {
		return d.oldTable(p, t, v)
	}
	return d.fields(p, t, v)
}

// oldTable decodes a table by way of the struct of its old layout. It converts even an incomplete one.
func (d *decoder) oldTable(p *tablePlan, t view, v reflect.Value) error {
	if err := d.take(int(p.oldTable.old.Size())); err != nil {
		return err
	}
	old := reflect.New(p.oldTable.old)
	err := d.fields(p, t, old.Elem())
	p.oldTable.toNew(old.Interface(), v.Addr().Interface())
	return err
}

// fields decodes the fields of a table into a struct.
func (d *decoder) fields(p *tablePlan, t view, v reflect.Value) error {
	for i := range p.fields {
		f := &p.fields[i]
		at, err := d.slot(t, f.slot, f.size())
		switch {
		case err != nil:
		case f.kind == kindUnion:
			err = d.union(f, t, at, v.Field(f.index))
		case at != 0:
			err = d.field(f, at, v.Field(f.index))
		case f.required:
			err = malformedf("missing")
		case f.def != 0 || (f.enum != nil && f.kind == kindScalar && !f.optional):
			err = d.scalar(f, f.def, v.Field(f.index))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	d.depth--
	return nil
}

// field decodes the field whose value, or the offset to it, is at the position at.
func (d *decoder) field(f *fieldPlan, at int, v reflect.Value) error {
	if f.kind == kindScalar {
		if f.optional {
			if err := d.take(scalarSize(f.scalar)); err != nil {
				return err
			}
			v.Set(reflect.New(v.Type().Elem()))
			v = v.Elem()
		}
		return d.scalar(f, readScalar(d.buf[at:], scalarSize(f.scalar)), v)
	}
	pos, err := d.offset(at)
	if err != nil {
		return err
	}
	switch f.kind {
	case kindString:
		return d.str(pos, v)
	case kindTable:
		return d.pointer(f.table, pos, v)
	}
	return d.vector(f, pos, v)
}

// scalar stores a scalar's bits, translated when it is an enum.
func (d *decoder) scalar(f *fieldPlan, bits uint64, v reflect.Value) error {
	if f.enum != nil {
		goValue := f.enum.toGo[uint8(bits)]
		if goValue < 0 {
			return &UnknownValueError{f.enum.name, uint8(bits)}
		}
		bits = uint64(goValue)
	}
	if f.goKind != f.scalar {
		bits = clamp(bits, f.scalar, f.goKind)
	}
	setScalar(v, bits)
	return nil
}

// str decodes the string at pos. The NUL behind it is for C and is ignored.
func (d *decoder) str(pos int, v reflect.Value) error {
	n := int64(d.u32(pos))
	start := pos + offsetSize
	if n > int64(len(d.buf)-start) {
		return malformedf("a string of %d bytes at %d of %d", n, pos, len(d.buf))
	}
	if err := d.take(int(n)); err != nil {
		return err
	}
	v.SetString(string(d.buf[start : start+int(n)]))
	return nil
}

// pointer decodes the table at pos into a new struct, and stores its address in v even when it is incomplete.
func (d *decoder) pointer(p *tablePlan, pos int, v reflect.Value) error {
	if err := d.take(int(p.goType.Size())); err != nil {
		return err
	}
	table := reflect.New(p.goType)
	v.Set(table)
	return d.table(p, pos, table.Elem())
}

// union decodes a union whose value's offset is at the position at, 0 when it is absent.
func (d *decoder) union(f *fieldPlan, t view, at int, v reflect.Value) error {
	typeAt, err := d.slot(t, f.slot-1, 1)
	if err != nil {
		return err
	}
	var tag uint8
	if typeAt != 0 {
		tag = d.buf[typeAt]
	}
	if (tag == 0) != (at == 0) {
		return malformedf("a %s of type %d lacks its type or its value", f.union.name, tag)
	}
	if tag == 0 {
		if f.required {
			return malformedf("missing")
		}
		return nil
	}
	member := f.union.byTag[tag]
	if member == nil {
		return &UnknownValueError{f.union.name, tag}
	}
	pos, err := d.offset(at)
	if err != nil {
		return err
	}
	return d.pointer(member, pos, v)
}

// vector decodes the vector at pos. An empty one leaves v nil.
func (d *decoder) vector(f *fieldPlan, pos int, v reflect.Value) error {
	size := offsetSize
	if f.kind == kindScalars {
		size = scalarSize(f.scalar)
	}
	n, start := int64(d.u32(pos)), pos+offsetSize
	if n > int64((len(d.buf)-start)/size) {
		return malformedf("a vector of %d elements at %d of %d", n, pos, len(d.buf))
	}
	if n == 0 {
		return nil
	}
	count := int(n)
	if err := d.take(count * int(v.Type().Elem().Size())); err != nil {
		return err
	}
	if f.scalar == reflect.Uint8 && f.enum == nil {
		v.SetBytes(append([]byte(nil), d.buf[start:start+count]...))
		return nil
	}
	v.Set(reflect.MakeSlice(v.Type(), count, count))
	for i := range count {
		if err := d.element(f, start+i*size, v.Index(i)); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

// element decodes the element of a vector that is, or whose offset is, at the position at.
func (d *decoder) element(f *fieldPlan, at int, v reflect.Value) error {
	if f.kind == kindScalars {
		return d.scalar(f, readScalar(d.buf[at:], scalarSize(f.scalar)), v)
	}
	pos, err := d.offset(at)
	if err != nil {
		return err
	}
	if f.kind == kindStrings {
		return d.str(pos, v)
	}
	return d.table(f.table, pos, v)
}
