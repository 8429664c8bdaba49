package fbs

import (
	"encoding/binary"
	"math"
	"reflect"
)

// Sizes in bytes, from the FlatBuffers specification.
const (
	offsetSize       = 4 // of an offset, and of the length of a string or vector
	vtableEntrySize  = 2
	vtableHeaderSize = 4 // size of the vtable, size of the table
)

// scalarSize returns the size of a scalar in bytes, and 0 for other kinds.
func scalarSize(k reflect.Kind) int {
	switch k {
	case reflect.Bool, reflect.Int8, reflect.Uint8:
		return 1
	case reflect.Int16, reflect.Uint16:
		return 2
	case reflect.Int32, reflect.Uint32, reflect.Float32:
		return 4
	case reflect.Int64, reflect.Uint64, reflect.Float64:
		return 8
	}
	return 0
}

// readScalar returns the first size bytes of b as a little-endian number.
func readScalar(b []byte, size int) uint64 {
	switch size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

// setScalar stores the bits of a scalar, as they are on the wire, in v.
func setScalar(v reflect.Value, bits uint64) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(bits != 0)
	case reflect.Float32:
		v.SetFloat(float64(math.Float32frombits(uint32(bits))))
	case reflect.Float64:
		v.SetFloat(math.Float64frombits(bits))
	case reflect.Int8:
		v.SetInt(int64(int8(bits)))
	case reflect.Int16:
		v.SetInt(int64(int16(bits)))
	case reflect.Int32:
		v.SetInt(int64(int32(bits)))
	case reflect.Int64:
		v.SetInt(int64(bits))
	default:
		v.SetUint(bits)
	}
}

// scalarBits returns the bits of a scalar; those beyond its size are undefined.
func scalarBits(v reflect.Value) uint64 {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return 1
		}
		return 0
	case reflect.Float32:
		return uint64(math.Float32bits(float32(v.Float())))
	case reflect.Float64:
		return math.Float64bits(v.Float())
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return uint64(v.Int())
	}
	return v.Uint()
}

// resizable are the integer kinds that mediasoup has replaced by one another. They convert into each other: a number out of
// range becomes the nearest in range.
var resizable = map[string]reflect.Kind{
	"int32": reflect.Int32, "uint32": reflect.Uint32, "int64": reflect.Int64, "uint64": reflect.Uint64,
}

// clamp converts the bits of an integer of the kind from to those of one of the kind to.
func clamp(bits uint64, from, to reflect.Kind) uint64 {
	switch from {
	case reflect.Int32:
		bits = uint64(int64(int32(bits)))
	case reflect.Uint32:
		bits = uint64(uint32(bits))
	}
	if signed := from == reflect.Int32 || from == reflect.Int64; signed && int64(bits) < 0 {
		switch to {
		case reflect.Int32:
			return uint64(max(int64(bits), math.MinInt32))
		case reflect.Int64:
			return bits
		}
		return 0
	}
	switch to {
	case reflect.Int32:
		return min(bits, math.MaxInt32)
	case reflect.Uint32:
		return min(bits, math.MaxUint32)
	case reflect.Int64:
		return min(bits, math.MaxInt64)
	}
	return bits
}
