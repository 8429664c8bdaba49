package fbs

import (
	"maps"
	"reflect"
	"slices"

	"gazpacho/engine/api"
)

// CompatRule is one thing that older releases of mediasoup say or do in another way than the newest, and the translation.
type CompatRule struct {
	Name  string
	Until string // the last release on npm to which it applies
	Text  string // what differs, for people

	fields          map[string]string // names of fields in the schema: the old, with its table, and the one of today
	members         map[string]string // names of enum members: the one of today, with its enum, and the old
	relaxedRequired []string          // fields which a dialect requires, but mediasoup's Node library does not
	oldTables       []*oldTable
	compat          func(*api.Compat) // notes what the engine does otherwise
}

// compatRules is all of them.
var compatRules = []*CompatRule{
	&layersRule, &addressesRule, &portsRule, &consentRule, &codecsRule, &extensionsRule, &statsRule, &closeRule,
	&sctpRule, &dumpsRule, &framesRule, &pipesRule, &temporalRule, &bitratesRule, &mappingRule,
}

// CompatRules returns those that apply to a release, or to an older one.
func CompatRules() []CompatRule {
	var all []CompatRule
	for _, t := range compatRules {
		all = append(all, *t)
	}
	return all
}

// Compat returns those of upstream's worker of a release. The error tells that release is no version number.
func Compat(release string) (api.Compat, error) {
	var h api.Compat
	for _, t := range compatRules {
		order, err := CompareReleases(release, t.Until)
		if err != nil {
			return api.Compat{}, err
		}
		if order <= 0 && t.compat != nil {
			t.compat(&h)
		}
	}
	return h, nil
}

// What the rules say, in one place each.
var (
	renamedFields   = collect(func(t *CompatRule) map[string]string { return t.fields })
	renamedMembers  = collect(func(t *CompatRule) map[string]string { return t.members })
	relaxedRequired = collect(func(t *CompatRule) map[string]bool {
		fields := map[string]bool{}
		for _, name := range t.relaxedRequired {
			fields[name] = true
		}
		return fields
	})
)

func collect[V any](of func(*CompatRule) map[string]V) map[string]V {
	all := map[string]V{}
	for _, t := range compatRules {
		maps.Copy(all, of(t))
	}
	return all
}

// oldTable is a table that has another form in older dialects: a struct of its own, and the translations.
type oldTable struct {
	table string       // the schema's name
	mark  string       // the field by which the form is known
	lacks bool         // by its absence
	old   reflect.Type // the struct of the form
	now   reflect.Type // the one of engine/api
	toNew func(old, now any)
	toOld func(now, old any)
}

// newOldTable returns an oldTable. The functions fill a struct that is zero from pointers to the other one.
func newOldTable[Old, Now any](table, mark string, toNew func(*Old, *Now), toOld func(*Now, *Old)) *oldTable {
	return &oldTable{
		table: table, mark: mark,
		old: reflect.TypeFor[Old](), now: reflect.TypeFor[Now](),
		toNew: func(old, now any) { toNew(old.(*Old), now.(*Now)) },
		toOld: func(now, old any) { toOld(now.(*Now), old.(*Old)) },
	}
}

// lacking turns the mark around: the form is known by the field that it has not yet.
func (s *oldTable) lacking() *oldTable {
	s.lacks = true
	return s
}

// oldTable returns the form that a table has in this dialect, nil for the one of engine/api.
func (c *compiler) oldTable(def *tableDef, t reflect.Type) *oldTable {
	for _, rule := range compatRules {
		for _, s := range rule.oldTables {
			if s.table == def.name && s.now == t && def.has(s.mark) != s.lacks {
				return s
			}
		}
	}
	return nil
}

// has reports whether the table has a field of that name.
func (t *tableDef) has(name string) bool {
	return slices.ContainsFunc(t.fields, func(f fieldDef) bool { return f.name == name })
}

// lenientUnions lists the unions of which a member that the dialect lacks is left out, rather than refused: an answer
// without content is still an answer.
var lenientUnions = map[string]bool{"FBS.Response.Body": true}
