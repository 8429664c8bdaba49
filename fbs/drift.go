package fbs

import (
	"reflect"
	"slices"
)

// Drift is how a release's schema relates to the dialects and Go types known.
type Drift struct {
	Known   bool     // the release is in the table of releases
	SameAs  string   // the dialect that has the same schema; empty: none
	Nearest string   // otherwise, the dialect of the youngest known release that is not younger
	Changes []string // from Nearest, as [Differences] returns them
	Unknown []string // what the schema has and engine/api has not
	Gone    []string // what engine/api has and the schema has not, compat rules of other releases left out
	Refusal error    // why the codec cannot use it
}

// CheckDrift compares the text of a schema file with what is known.
func CheckDrift(text string) (*Drift, error) {
	s, err := parseSchema(text)
	if err != nil {
		return nil, err
	}
	nearest, err := find(s.release)
	if err != nil {
		return nil, err
	}
	d := &Drift{Known: nearest.Version == s.release, Nearest: nearest.Dialect}
	for _, r := range releaseTable() {
		if r.Version == r.Dialect && len(embedded(r.Dialect).differences(s)) == 0 {
			d.SameAs = r.Dialect
		}
	}
	d.Changes = embedded(nearest.Dialect).differences(s)
	c := newCompiler(s)
	if _, d.Refusal = c.root(); d.Refusal == nil {
		d.Refusal = missing(c.lacking)
	}
	d.Unknown, d.Gone = c.unmatched()
	return d, nil
}

// unmatched lists what only one side has, of everything compiled.
func (c *compiler) unmatched() (unknown, gone []string) {
	for key, plan := range c.tables {
		u, g := unmatchedFields(c.schema.tables[key.name], plan)
		unknown, gone = append(unknown, u...), append(gone, g...)
	}
	for key, plan := range c.enums {
		for name, value := range c.schema.enums[key.name].values {
			if plan.toGo[value] < 0 {
				unknown = append(unknown, key.name+"."+name)
			}
		}
		for value, name := range reflect.Zero(key.goType).Interface().(namedEnum).EnumNames() {
			if full := key.goType.String() + "." + name; name != "" && plan.toWire[value] < 0 && !retired[full] {
				gone = append(gone, full)
			}
		}
	}
	for key, plan := range c.unions {
		for name, m := range c.schema.unions[key.name].members {
			if plan.byTag[m.tag] == nil {
				unknown = append(unknown, key.name+"."+name)
			}
		}
		for _, m := range goUnions[key.goType] {
			if _, ok := plan.tags[reflect.TypeOf(m.Type).Elem()]; !ok {
				gone = append(gone, key.goType.String()+"."+m.Name)
			}
		}
	}
	slices.Sort(unknown)
	slices.Sort(gone)
	return unknown, gone
}

// unmatchedFields lists the fields that only the schema or only the struct has.
func unmatchedFields(def *tableDef, plan *tablePlan) (unknown, gone []string) {
	t := plan.goType
	if plan.oldTable != nil {
		t = plan.oldTable.old
	}
	planned, indices := map[string]bool{}, map[int]bool{}
	for _, f := range plan.fields {
		planned[f.name], indices[f.index] = true, true
	}
	for _, f := range def.fields {
		if !planned[f.name] {
			unknown = append(unknown, def.name+"."+f.name+" "+f.String())
		}
	}
	for i := range t.NumField() {
		if name := t.String() + "." + t.Field(i).Name; !indices[i] && !retired[name] && !internal[name] {
			gone = append(gone, name)
		}
	}
	return unknown, gone
}

// internal lists what engine/api has for workers among themselves: no release has it, and no codec writes or reads it.
var internal = map[string]bool{
	"api.TransportOptions.Internal":                          true,
	"api.TransportOptions.Restore":                           true,
	"api.TransportOptions.LoadLimit":                         true,
	"api.TransportOptions.LoadReserved":                      true,
	"api.WorkerCreateRouterRequest.ProducerID":               true,
	"api.WorkerCreateRouterRequest.DataProducerID":           true,
	"api.ProducerDumpResponse.Home":                          true,
	"api.DataProducerDumpResponse.Home":                      true,
	"api.TransportProduceDataRequest.LinkToken":              true,
	"api.TransportConsumeDataRequest.LinkAddress":            true,
	"api.TransportConsumeDataRequest.LinkToken":              true,
	"api.TransportConsumeDataRequest.LinkUnreliable":         true,
	"api.TransportConsumeDataRequest.LinkProducerID":         true,
	"api.DataConsumerMessageNotification.Subchannels":        true,
	"api.DataConsumerMessageNotification.RequiredSubchannel": true,
	"api.DataConsumerMessageNotification.IgnoredSubchannel":  true,
}

// retired lists what engine/api has for older releases only.
var retired = map[string]bool{
	"api.TransportOptions.NumSCTPStreams": true,
	"api.SCTPParameters.OS":               true,
	"api.SCTPParameters.MIS":              true,
	"api.EncodingMapping.ScalabilityMode": true,

	"api.RTPHeaderExtensionURI.FrameMarkingDraft07": true,
	"api.RTPHeaderExtensionURI.FrameMarking":        true,
	"api.Method.WORKER_CLOSE":                       true,
}
