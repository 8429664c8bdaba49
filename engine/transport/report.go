package transport

import (
	"fmt"
	"reflect"
	"strings"
)

// Report tells for the log what was not passed on, and what ICE, DTLS and SCTP counted: the counters that are not zero, as
// in "drops:{RTPUnknown:3} ice:{Accepted:12 Unauthorized:1}". It may be called after Close.
func (t *Transport) Report() string {
	groups := []string{counted("drops", t.drops)}
	if c, ok := t.backend.(*webRtc); ok {
		groups = append(groups, counted("ice", c.ice.Counters()), counted("dtls", c.dtls.Counters()))
	}
	if t.sctp != nil {
		groups = append(groups, counted("sctp", t.sctp.Counters()))
	}
	return strings.Join(groups, " ")
}

// counted returns the fields of a struct of counters that are not zero.
func counted(name string, counters any) string {
	var fields []string
	for field, value := range reflect.ValueOf(counters).Fields() {
		if !value.IsZero() {
			fields = append(fields, fmt.Sprintf("%s:%d", field.Name, value.Uint()))
		}
	}
	return name + ":{" + strings.Join(fields, " ") + "}"
}
