package fbs

import (
	"maps"
	"reflect"
	"slices"

	"gazpacho/engine/api"
)

// Topic is one thing that older releases of mediasoup say or do in another way than the newest, and the translation.
type Topic struct {
	Name  string
	Until string // the last release on npm to which it applies
	Text  string // what differs, for people

	fields  map[string]string // names of fields in the schema: the old, with its table, and the one of today
	members map[string]string // names of enum members: the one of today, with its enum, and the old
	spared  []string          // fields which a dialect requires, but mediasoup's Node library does not
	shapes  []*shape
	habit   func(*api.Habits) // notes what the engine does otherwise
}

// topics is all of them, one file each.
var topics = []*Topic{
	&layersTopic, &addressesTopic, &portsTopic, &consentTopic, &codecsTopic, &extensionsTopic, &statsTopic, &closeTopic,
	&sctpTopic, &dumpsTopic, &framesTopic, &pipesTopic, &temporalTopic, &bitratesTopic, &mappingTopic,
}

// Topics returns those that apply to a release, or to an older one.
func Topics() []Topic {
	var all []Topic
	for _, t := range topics {
		all = append(all, *t)
	}
	return all
}

// Habits returns those of upstream's worker of a release. The error tells that release is no version number.
func Habits(release string) (api.Habits, error) {
	var h api.Habits
	for _, t := range topics {
		order, err := CompareReleases(release, t.Until)
		if err != nil {
			return api.Habits{}, err
		}
		if order <= 0 && t.habit != nil {
			t.habit(&h)
		}
	}
	return h, nil
}

// What the topics say, in one place each.
var (
	renamedFields  = collect(func(t *Topic) map[string]string { return t.fields })
	renamedMembers = collect(func(t *Topic) map[string]string { return t.members })
	spared         = collect(func(t *Topic) map[string]bool {
		fields := map[string]bool{}
		for _, name := range t.spared {
			fields[name] = true
		}
		return fields
	})
)

func collect[V any](of func(*Topic) map[string]V) map[string]V {
	all := map[string]V{}
	for _, t := range topics {
		maps.Copy(all, of(t))
	}
	return all
}

// shape is a table that has another form in older dialects: a struct of its own, and the translations.
type shape struct {
	table string       // the schema's name
	mark  string       // the field by which the form is known
	lacks bool         // by its absence
	old   reflect.Type // the struct of the form
	now   reflect.Type // the one of engine/api
	toNew func(old, now any)
	toOld func(now, old any)
}

// newShape returns a shape. The functions fill a struct that is zero from pointers to the other one.
func newShape[Old, Now any](table, mark string, toNew func(*Old, *Now), toOld func(*Now, *Old)) *shape {
	return &shape{
		table: table, mark: mark,
		old: reflect.TypeFor[Old](), now: reflect.TypeFor[Now](),
		toNew: func(old, now any) { toNew(old.(*Old), now.(*Now)) },
		toOld: func(now, old any) { toOld(now.(*Now), old.(*Old)) },
	}
}

// lacking turns the mark around: the form is known by the field that it has not yet.
func (s *shape) lacking() *shape {
	s.lacks = true
	return s
}

// shape returns the shape that a table has in this dialect, nil for the one of engine/api.
func (c *compiler) shape(def *tableDef, t reflect.Type) *shape {
	for _, topic := range topics {
		for _, s := range topic.shapes {
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
