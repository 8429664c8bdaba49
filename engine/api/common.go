package api

// StringString is an entry of a map from strings to strings (FBS.Common.StringString).
type StringString struct {
	Key   string
	Value string
}

// Uint16String is an entry of a map from 16-bit numbers to strings (FBS.Common.Uint16String).
type Uint16String struct {
	Key   uint16
	Value string
}

// Uint32String is an entry of a map from 32-bit numbers to strings (FBS.Common.Uint32String).
type Uint32String struct {
	Key   uint32
	Value string
}

// StringStringArray is an entry of a map from strings to lists of strings (FBS.Common.StringStringArray).
type StringStringArray struct {
	Key    string
	Values []string
}

// TraceDirection says whether a traced packet was received or sent (FBS.Common.TraceDirection).
type TraceDirection uint8

const (
	TraceDirectionIn  TraceDirection = 0
	TraceDirectionOut TraceDirection = 1
)

var traceDirectionNames = []string{"DIRECTION_IN", "DIRECTION_OUT"}

// EnumNames returns the schema's member names, indexed by value.
func (TraceDirection) EnumNames() []string { return traceDirectionNames }

// String returns the schema's member name.
func (v TraceDirection) String() string { return enumName(traceDirectionNames, uint8(v)) }
