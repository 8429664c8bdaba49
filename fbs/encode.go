package fbs

import (
	"fmt"
	"reflect"

	flatbuffers "github.com/google/flatbuffers/go"

	"gazpacho/engine/api"
)

// initialBuffer is the size in bytes of an encoder's first buffer, which grows to that of the largest message.
const initialBuffer = 1024

// Encoder writes messages of one dialect. It reuses its buffers: only one goroutine may use it at a time.
type Encoder struct {
	root     *tablePlan
	builder  *flatbuffers.Builder
	children []child // of the tables being written: a stack
	message  api.Message
	value    reflect.Value // of message
}

// child is something a table refers to, which is written before it.
type child struct {
	offset flatbuffers.UOffsetT // 0: absent
	tag    uint8                // of a union
}

// NewEncoder returns an encoder for the dialect.
func (d *Dialect) NewEncoder() *Encoder {
	e := &Encoder{root: d.root, builder: flatbuffers.NewBuilder(initialBuffer)}
	e.value = reflect.ValueOf(&e.message).Elem()
	return e
}

// AppendMessage appends a frame to dst and returns the result: the message's length as a 32-bit little-endian number
// and the message, whose content is body. What the dialect lacks is left out.
//
// It fails, and returns dst unchanged, if a required table or union is nil or an enum's value is invalid. The error wraps
// [ErrNotInDialect] if the dialect cannot express something essential.
func (e *Encoder) AppendMessage(dst []byte, body api.MessageBody) ([]byte, error) {
	e.builder.Reset()
	e.children = e.children[:0]
	e.message.Data = body
	offset, err := e.table(e.root, e.value)
	e.message.Data = nil
	if err != nil {
		return dst, err
	}
	e.builder.FinishSizePrefixed(offset)
	return append(dst, e.builder.FinishedBytes()...), nil
}

// table writes the struct v after everything it refers to, as FlatBuffers are built from the end.
func (e *Encoder) table(p *tablePlan, v reflect.Value) (flatbuffers.UOffsetT, error) {
	if p.oldTable != nil {
		old := reflect.New(p.oldTable.old)
		p.oldTable.toOld(v.Addr().Interface(), old.Interface())
		v = old.Elem()
	}
	first := len(e.children)
	for i := range p.fields {
		f := &p.fields[i]
		// Nested tables push and pop their own children; those below stay.
		c, err := e.child(f, v.Field(f.index))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", f.name, err)
		}
		e.children = append(e.children, c)
	}
	e.builder.StartObject(p.slots)
	for _, i := range p.bySize {
		f := &p.fields[i]
		c := e.children[first+i]
		switch {
		case f.kind == kindScalar:
			if err := e.scalarField(f, v.Field(f.index)); err != nil {
				return 0, fmt.Errorf("%s: %w", f.name, err)
			}
		case c.offset != 0:
			e.builder.PrependUOffsetT(c.offset)
			e.builder.Slot(f.slot)
		}
	}
	e.tags(p, first)
	e.children = e.children[:first]
	return e.builder.EndObject(), nil
}

// tags writes the types of the unions, last because they are the smallest.
func (e *Encoder) tags(p *tablePlan, first int) {
	for i := range p.fields {
		if tag := e.children[first+i].tag; tag != 0 {
			e.builder.PrependUint8(tag)
			e.builder.Slot(p.fields[i].slot - 1)
		}
	}
}

// child writes what the field refers to. The result is zero for a scalar or an absent value.
func (e *Encoder) child(f *fieldPlan, v reflect.Value) (child, error) {
	switch f.kind {
	case kindScalar:
		return child{}, nil
	case kindString:
		if v.Len() == 0 && !f.always {
			return child{}, nil
		}
		return child{offset: e.builder.CreateString(v.String())}, nil
	case kindTable:
		if v.IsNil() {
			return child{}, f.absent()
		}
		offset, err := e.table(f.table, v.Elem())
		return child{offset: offset}, err
	case kindUnion:
		return e.union(f, v)
	}
	if v.Len() == 0 && !f.always {
		return child{}, nil
	}
	offset, err := e.vector(f, v)
	return child{offset: offset}, err
}

// absent returns an error when the field is required.
func (f *fieldPlan) absent() error {
	if f.required {
		return fmt.Errorf("required, but nil")
	}
	return nil
}

func (e *Encoder) union(f *fieldPlan, v reflect.Value) (child, error) {
	if v.IsNil() || v.Elem().IsNil() {
		return child{}, f.absent()
	}
	member := v.Elem().Elem()
	tag, ok := f.union.tags[member.Type()]
	if !ok && f.union.lenient {
		return child{}, nil
	}
	if !ok {
		return child{}, fmt.Errorf("%w: %v as a member of %s", ErrNotInDialect, member.Type(), f.union.name)
	}
	offset, err := e.table(f.union.byTag[tag], member)
	return child{offset, tag}, err
}

// scalarField writes a scalar into the current table, unless it is the default.
func (e *Encoder) scalarField(f *fieldPlan, v reflect.Value) error {
	if f.optional {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	bits, err := f.bits(v)
	if err != nil {
		return err
	}
	if bits == f.def && !f.optional {
		return nil
	}
	e.prepend(bits, scalarSize(f.scalar))
	e.builder.Slot(f.slot)
	return nil
}

// bits returns the bits of a scalar on the wire, translated if it is an enum.
func (f *fieldPlan) bits(v reflect.Value) (uint64, error) {
	bits := scalarBits(v)
	if f.enum == nil {
		if f.goKind != f.scalar {
			bits = clamp(bits, f.goKind, f.scalar)
		}
		return bits, nil
	}
	wire := f.enum.toWire[uint8(bits)]
	if wire < 0 {
		return 0, fmt.Errorf("%w: %v as a %s", ErrNotInDialect, v, f.enum.name)
	}
	return uint64(wire), nil
}

// prepend writes the low bytes of a scalar.
func (e *Encoder) prepend(bits uint64, size int) {
	switch size {
	case 1:
		e.builder.PrependUint8(uint8(bits))
	case 2:
		e.builder.PrependUint16(uint16(bits))
	case 4:
		e.builder.PrependUint32(uint32(bits))
	default:
		e.builder.PrependUint64(bits)
	}
}

// vector writes the slice v.
func (e *Encoder) vector(f *fieldPlan, v reflect.Value) (flatbuffers.UOffsetT, error) {
	if f.kind == kindScalars {
		return e.scalars(f, v)
	}
	first := len(e.children)
	for i := range v.Len() {
		var c child
		var err error
		if f.kind == kindStrings {
			c.offset = e.builder.CreateString(v.Index(i).String())
		} else if c.offset, err = e.table(f.table, v.Index(i)); err != nil {
			return 0, fmt.Errorf("[%d]: %w", i, err)
		}
		e.children = append(e.children, c)
	}
	elements := e.children[first:]
	e.builder.StartVector(offsetSize, len(elements), offsetSize)
	for i := len(elements) - 1; i >= 0; i-- {
		e.builder.PrependUOffsetT(elements[i].offset)
	}
	e.children = e.children[:first]
	return e.builder.EndVector(len(elements)), nil
}

// scalars writes the slice of scalars v, without the enum members that the dialect lacks.
func (e *Encoder) scalars(f *fieldPlan, v reflect.Value) (flatbuffers.UOffsetT, error) {
	if f.scalar == reflect.Uint8 && f.enum == nil {
		return e.builder.CreateByteVector(v.Bytes()), nil
	}
	size, count := scalarSize(f.scalar), 0
	for i := range v.Len() {
		if _, err := f.bits(v.Index(i)); err == nil {
			count++
		}
	}
	e.builder.StartVector(size, count, size)
	for i := v.Len() - 1; i >= 0; i-- {
		if bits, err := f.bits(v.Index(i)); err == nil {
			e.prepend(bits, size)
		}
	}
	return e.builder.EndVector(count), nil
}
