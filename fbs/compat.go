package fbs

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	"gazpacho/engine/api"
)

// CompatRule is one thing that older releases of mediasoup say or do differently from the newest, and its translation.
type CompatRule struct {
	Name  string
	Since string // the first release to which it applies; empty: the oldest
	Until string // the last release to which it applies
	Text  string // what differs, for documentation

	fields          map[string]string // schema field names: old, with its table, to current
	members         map[string]string // enum members: current, with its enum, to old
	relaxedRequired []string          // fields that a dialect requires, but mediasoup's Node library does not
	oldTables       []*oldTable
	compat          func(*api.Compat) // sets what the engine does differently
}

// compatRules are all rules, oldest first.
var compatRules = []*CompatRule{
	&layersRule, &addressesRule, &listenInfoRule, &consentRule, &codecsRule, &extensionsRule, &statsRule, &closeRule,
	&sctpRule, &dumpsRule, &framesRule, &pipesRule, &pipeFilterRule, &pipeTokenRule, &temporalRule, &bitratesRule, &mappingRule,
}

// CompatRules returns all compat rules, oldest first.
func CompatRules() []CompatRule {
	var all []CompatRule
	for _, r := range compatRules {
		all = append(all, *r)
	}
	return all
}

// Compat returns what the C++ worker of a release does differently from the newest. It fails if release is not a version
// number.
func Compat(release string) (api.Compat, error) {
	var c api.Compat
	for _, r := range compatRules {
		applies, err := r.AppliesTo(release)
		if err != nil {
			return api.Compat{}, err
		}
		if applies && r.compat != nil {
			r.compat(&c)
		}
	}
	return c, nil
}

// AppliesTo reports whether the rule applies to a release. It fails if release is not a version number.
func (r *CompatRule) AppliesTo(release string) (bool, error) {
	if order, err := CompareReleases(release, r.Until); order > 0 || err != nil {
		return false, err
	}
	order, err := CompareReleases(release, cmp.Or(r.Since, Oldest()))
	return order >= 0, err
}

// The translations of all rules, merged.
var (
	renamedFields   = collect(func(r *CompatRule) map[string]string { return r.fields })
	renamedMembers  = collect(func(r *CompatRule) map[string]string { return r.members })
	relaxedRequired = collect(func(r *CompatRule) map[string]bool {
		fields := map[string]bool{}
		for _, name := range r.relaxedRequired {
			fields[name] = true
		}
		return fields
	})
)

func collect[V any](of func(*CompatRule) map[string]V) map[string]V {
	all := map[string]V{}
	for _, r := range compatRules {
		maps.Copy(all, of(r))
	}
	return all
}

// oldTable is a table that older dialects lay out differently: it has a Go struct of its own, converted from and to that of
// engine/api.
type oldTable struct {
	table  string       // the schema's name
	mark   string       // the field whose presence identifies the old layout
	absent bool         // its absence does
	old    reflect.Type // the struct of the old layout
	now    reflect.Type // the struct of engine/api
	toNew  func(old, now any)
	toOld  func(now, old any)
}

// newOldTable returns an oldTable. Both functions fill a zero struct, their second argument.
func newOldTable[Old, Now any](table, mark string, toNew func(*Old, *Now), toOld func(*Now, *Old)) *oldTable {
	return &oldTable{
		table: table, mark: mark,
		old: reflect.TypeFor[Old](), now: reflect.TypeFor[Now](),
		toNew: func(old, now any) { toNew(old.(*Old), now.(*Now)) },
		toOld: func(now, old any) { toOld(now.(*Now), old.(*Old)) },
	}
}

// whenAbsent makes the absence of the mark identify the old layout.
func (o *oldTable) whenAbsent() *oldTable {
	o.absent = true
	return o
}

// oldTable returns the old layout that a table has in this dialect, or nil if it has that of engine/api.
func (c *compiler) oldTable(def *tableDef, t reflect.Type) *oldTable {
	for _, rule := range compatRules {
		for _, o := range rule.oldTables {
			if o.table == def.name && o.now == t && def.has(o.mark) != o.absent {
				return o
			}
		}
	}
	return nil
}

// has reports whether the table has a field of that name.
func (t *tableDef) has(name string) bool {
	return slices.ContainsFunc(t.fields, func(f fieldDef) bool { return f.name == name })
}

// lenientUnions lists the unions whose members are left out when the dialect lacks them, instead of failing: a response
// without a body is still a response.
var lenientUnions = map[string]bool{"FBS.Response.Body": true}
