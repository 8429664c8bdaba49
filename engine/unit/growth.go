package unit

import "reflect"

// AddGrowth adds to sum by how much each counter of now has grown since last, and makes last equal to now. T is made of structs and
// arrays of uint64. A counter that is smaller than it was has begun anew.
func AddGrowth[T comparable](sum, now, last *T) {
	if *now == *last {
		return
	}
	addGrowth(reflect.ValueOf(sum).Elem(), reflect.ValueOf(now).Elem(), reflect.ValueOf(last).Elem())
	*last = *now
}

func addGrowth(sum, now, last reflect.Value) {
	switch sum.Kind() {
	case reflect.Struct:
		for i := range sum.NumField() {
			addGrowth(sum.Field(i), now.Field(i), last.Field(i))
		}
		return
	case reflect.Array:
		for i := range sum.Len() {
			addGrowth(sum.Index(i), now.Index(i), last.Index(i))
		}
		return
	}
	n, l := now.Uint(), last.Uint()
	if n < l {
		l = 0
	}
	sum.SetUint(sum.Uint() + n - l)
}

// Add adds to each number in sum the one of x. T is made of structs, arrays and numbers.
func Add[T any](sum, x *T) { add(reflect.ValueOf(sum).Elem(), reflect.ValueOf(x).Elem()) }

func add(sum, x reflect.Value) {
	switch sum.Kind() {
	case reflect.Struct:
		for i := range sum.NumField() {
			add(sum.Field(i), x.Field(i))
		}
	case reflect.Array:
		for i := range sum.Len() {
			add(sum.Index(i), x.Index(i))
		}
	case reflect.Float64:
		sum.SetFloat(sum.Float() + x.Float())
	case reflect.Uint64:
		sum.SetUint(sum.Uint() + x.Uint())
	default:
		sum.SetInt(sum.Int() + x.Int())
	}
}
