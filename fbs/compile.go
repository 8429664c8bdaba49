package fbs

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gazpacho/engine/api"
)

// kind is the layout of a field's value, in Go and on the wire.
type kind uint8

const (
	kindScalar  kind = iota // number, bool or enum; a pointer to it when optional
	kindString              // string
	kindTable               // pointer to a struct
	kindUnion               // interface that holds a pointer to a struct
	kindScalars             // slice of kindScalar
	kindStrings             // slice of strings
	kindTables              // slice of structs
)

// fieldPlan is one field that Go and the dialect both have.
type fieldPlan struct {
	name     string // the schema's
	index    int    // of the Go field
	slot     int    // in the vtable; a union's type has the slot before its value
	kind     kind
	required bool
	always   bool         // a string or vector that is written even when empty
	optional bool         // a scalar that may be absent
	scalar   reflect.Kind // of the scalar or the elements, on the wire
	goKind   reflect.Kind // of the same in Go, where an integer may have another size
	def      uint64       // default of a scalar: its bits on the wire
	enum     *enumPlan    // nil when the scalar is not an enum
	table    *tablePlan   // of the table or the elements
	union    *unionPlan
}

// tablePlan is a table and the struct that it corresponds to.
type tablePlan struct {
	name     string
	goType   reflect.Type
	oldTable *oldTable // the dialect's older layout; nil if it has that of engine/api
	slots    int
	fields   []fieldPlan // in the order of slots: the order of decoding
	bySize   []int       // indices into fields, largest value first: the order of writing, which saves padding
}

// enumPlan translates between an enum's values in Go and on the wire.
type enumPlan struct {
	name   string
	toGo   [256]int16 // -1: the dialect or Go does not know the value
	toWire [256]int16 // -1: the dialect does not know the value
}

// unionPlan is a union and the Go types of its members.
type unionPlan struct {
	name  string
	byTag map[uint8]*tablePlan
	tags  map[reflect.Type]uint8 // by the member's struct
	// lenient unions leave out a member that the dialect lacks; others fail.
	lenient bool
}

// goUnions lists the union types of engine/api with their members.
var goUnions = map[reflect.Type][]api.UnionMember{
	reflect.TypeFor[api.MessageBody]():           api.UnionMessageBody,
	reflect.TypeFor[api.RequestBody]():           api.UnionRequestBody,
	reflect.TypeFor[api.ResponseBody]():          api.UnionResponseBody,
	reflect.TypeFor[api.NotificationBody]():      api.UnionNotificationBody,
	reflect.TypeFor[api.ConsumerTraceInfo]():     api.UnionConsumerTraceInfo,
	reflect.TypeFor[api.ProducerTraceInfo]():     api.UnionProducerTraceInfo,
	reflect.TypeFor[api.TransportTraceInfo]():    api.UnionTransportTraceInfo,
	reflect.TypeFor[api.ParameterValue]():        api.UnionParameterValue,
	reflect.TypeFor[api.RTPStreamStatsData]():    api.UnionRTPStreamStatsData,
	reflect.TypeFor[api.WebRtcTransportListen](): api.UnionWebRtcTransportListen,
}

// namedEnum is implemented by the enum types of engine/api.
type namedEnum interface{ EnumNames() []string }

var namedEnumType = reflect.TypeFor[namedEnum]()

// writtenWhenEmpty lists the optional strings that the C++ worker writes even when they are empty. Applications rely on it:
// Consumer.dump() of the Node library does not check the first two for null, and would throw.
var writtenWhenEmpty = map[string]bool{
	"FBS.RtpStream.Params.rid":              true,
	"FBS.RtxStream.Params.rrid":             true,
	"FBS.RtpParameters.EncodingMapping.rid": true,
}

// compiler matches the Go types with a schema. Its maps hold what is finished or, as tables refer to each other, in progress.
type compiler struct {
	schema *schema
	tables map[tableKey]*tablePlan
	enums  map[enumKey]*enumPlan
	unions map[unionKey]*unionPlan
	// lacking are the required fields of the schema that the Go types do not have.
	lacking []string
}

func newCompiler(s *schema) *compiler {
	return &compiler{
		schema: s,
		tables: map[tableKey]*tablePlan{}, enums: map[enumKey]*enumPlan{}, unions: map[unionKey]*unionPlan{},
	}
}

// root compiles everything that a message can hold. Requests, responses, notifications and log lines must be among it.
func (c *compiler) root() (*tablePlan, error) {
	root, err := c.table(c.schema.root, reflect.TypeFor[api.Message]())
	if err != nil {
		return nil, err
	}
	for _, m := range api.UnionMessageBody {
		if len(root.fields) == 0 || root.fields[0].union.tags[reflect.TypeOf(m.Type).Elem()] == 0 {
			return nil, fmt.Errorf("%s cannot hold a %s", root.name, m.Name)
		}
	}
	return root, nil
}

// missing returns an error if the Go types lack required fields.
func missing(lacking []string) error {
	if len(lacking) == 0 {
		return nil
	}
	return fmt.Errorf("the Go types lack %s, which is required", strings.Join(lacking, ", "))
}

type (
	tableKey struct {
		name   string
		goType reflect.Type
	}
	enumKey  tableKey
	unionKey tableKey
)

// table compiles a table against the struct type t.
func (c *compiler) table(name string, t reflect.Type) (*tablePlan, error) {
	key := tableKey{name, t}
	if p := c.tables[key]; p != nil {
		return p, nil
	}
	def := c.schema.tables[name]
	if def == nil || t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%v is not a struct, or %s not a table", t, name)
	}
	p := &tablePlan{name: name, goType: t, oldTable: c.oldTable(def, t)}
	c.tables[key] = p
	if p.oldTable != nil {
		t = p.oldTable.old
	}
	if err := c.fields(p, def, t); err != nil {
		return nil, err
	}
	slices.SortFunc(p.fields, func(a, b fieldPlan) int { return a.slot - b.slot })
	p.bySize = writeOrder(p.fields)
	return p, nil
}

// fields plans the fields of a table that the struct type t has, too.
func (c *compiler) fields(p *tablePlan, def *tableDef, t reflect.Type) error {
	goFields := map[string]int{}
	for i := range t.NumField() {
		goFields[strings.ToLower(t.Field(i).Name)] = i
	}
	for _, f := range def.fields {
		p.slots = max(p.slots, f.slot+1)
		full := def.name + "." + f.name
		index, ok := goFields[goName(def.name, f.name)]
		if !ok {
			if f.required {
				c.lacking = append(c.lacking, full)
			}
			continue
		}
		plan := fieldPlan{
			name: f.name, index: index, slot: f.slot, required: f.required && !relaxedRequired[full], optional: f.optional,
			always: f.required || writtenWhenEmpty[full],
		}
		if err := c.field(&plan, f, t.Field(index).Type); err != nil {
			return fmt.Errorf("%s as %v.%s: %w", full, t, t.Field(index).Name, err)
		}
		p.fields = append(p.fields, plan)
	}
	return nil
}

// goName returns the name in lower case of the Go field for a table's field.
func goName(table, field string) string {
	if now, ok := renamedFields[table+"."+field]; ok {
		field = now
	}
	return strings.ReplaceAll(field, "_", "")
}

// writeOrder returns the indices of fields, largest value first.
func writeOrder(fields []fieldPlan) []int {
	order := make([]int, len(fields))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return fields[b].size() - fields[a].size() })
	return order
}

// size returns the field's size in its table, in bytes.
func (f *fieldPlan) size() int {
	if f.kind == kindScalar {
		return scalarSize(f.scalar)
	}
	return offsetSize
}

// field completes the plan of a field whose Go type is t.
func (c *compiler) field(p *fieldPlan, f fieldDef, t reflect.Type) error {
	if f.vector {
		if t.Kind() != reflect.Slice {
			return fmt.Errorf("%v is not a slice", t)
		}
		return c.vector(p, f, t.Elem())
	}
	switch {
	case f.typ == "string":
		p.kind = kindString
		return expect(t, reflect.String)
	case c.schema.tables[f.typ] != nil:
		p.kind = kindTable
		if t.Kind() != reflect.Pointer {
			return fmt.Errorf("%v is not a pointer", t)
		}
		var err error
		p.table, err = c.table(f.typ, t.Elem())
		return err
	case c.schema.unions[f.typ] != nil:
		p.kind = kindUnion
		var err error
		p.union, err = c.union(f.typ, t)
		return err
	}
	if f.optional {
		if t.Kind() != reflect.Pointer {
			return fmt.Errorf("%v is not a pointer", t)
		}
		t = t.Elem()
	}
	p.kind = kindScalar
	return c.scalar(p, f, t)
}

// vector completes the plan of a field that is a slice of t.
func (c *compiler) vector(p *fieldPlan, f fieldDef, t reflect.Type) error {
	var err error
	switch {
	case f.typ == "string":
		p.kind = kindStrings
		return expect(t, reflect.String)
	case c.schema.tables[f.typ] != nil:
		p.kind = kindTables
		p.table, err = c.table(f.typ, t)
		return err
	}
	p.kind = kindScalars
	return c.scalar(p, f, t)
}

// scalar completes the plan of a scalar, or of a vector of scalars, whose Go type is t.
func (c *compiler) scalar(p *fieldPlan, f fieldDef, t reflect.Type) error {
	base := f.typ
	if def := c.schema.enums[f.typ]; def != nil {
		base = def.base
		var err error
		if p.enum, err = c.enum(def, t); err != nil {
			return err
		}
	}
	p.goKind, p.scalar = t.Kind(), t.Kind()
	if p.scalar.String() != base {
		wire, ok := resizable[base]
		if _, goToo := resizable[p.goKind.String()]; !ok || !goToo {
			return fmt.Errorf("%v is not %s", t, f.typ)
		}
		p.scalar = wire
	}
	switch {
	case f.def == "":
		return nil
	case f.vector:
		return fmt.Errorf("a vector has no default")
	}
	var err error
	p.def, err = parseDefault(p.scalar, f.def)
	return err
}

// parseDefault returns the bits of a default on the wire.
func parseDefault(k reflect.Kind, s string) (uint64, error) {
	switch k {
	case reflect.Bool:
		v, err := strconv.ParseBool(s)
		if v {
			return 1, err
		}
		return 0, err
	case reflect.Float32:
		v, err := strconv.ParseFloat(s, 32)
		return uint64(math.Float32bits(float32(v))), err
	case reflect.Float64:
		v, err := strconv.ParseFloat(s, 64)
		return math.Float64bits(v), err
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v, err := strconv.ParseInt(s, 10, scalarSize(k)*8)
		return uint64(v), err
	}
	return strconv.ParseUint(s, 10, scalarSize(k)*8)
}

// enum compiles an enum against the Go type t, by the names of its members.
func (c *compiler) enum(def *enumDef, t reflect.Type) (*enumPlan, error) {
	key := enumKey{def.name, t}
	if p := c.enums[key]; p != nil {
		return p, nil
	}
	if !t.Implements(namedEnumType) || t.Kind() != reflect.Uint8 {
		return nil, fmt.Errorf("%v is not an enum", t)
	}
	p := &enumPlan{name: def.name}
	for i := range p.toGo {
		p.toGo[i], p.toWire[i] = -1, -1
	}
	for i, name := range reflect.Zero(t).Interface().(namedEnum).EnumNames() {
		wire, ok := def.values[name]
		if old := renamedMembers[def.name+"."+name]; !ok && old != "" {
			wire, ok = def.values[old]
		}
		if ok {
			p.toGo[wire], p.toWire[i] = int16(i), int16(wire)
		}
	}
	c.enums[key] = p
	return p, nil
}

// union compiles a union against the interface type t, by the names of its members.
func (c *compiler) union(name string, t reflect.Type) (*unionPlan, error) {
	key := unionKey{name, t}
	if p := c.unions[key]; p != nil {
		return p, nil
	}
	members, ok := goUnions[t]
	if !ok {
		return nil, fmt.Errorf("%v is not a union", t)
	}
	p := &unionPlan{name: name, byTag: map[uint8]*tablePlan{}, tags: map[reflect.Type]uint8{}, lenient: lenientUnions[name]}
	c.unions[key] = p
	for _, m := range members {
		def, ok := c.schema.unions[name].members[m.Name]
		if !ok {
			continue
		}
		goType := reflect.TypeOf(m.Type).Elem()
		table, err := c.table(def.table, goType)
		if err != nil {
			return nil, err
		}
		p.byTag[def.tag], p.tags[goType] = table, def.tag
	}
	return p, nil
}

func expect(t reflect.Type, k reflect.Kind) error {
	if t.Kind() != k {
		return fmt.Errorf("%v is not a %v", t, k)
	}
	return nil
}
