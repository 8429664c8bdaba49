package placement_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/placement"
)

func TestOrder(t *testing.T) {
	tests := []struct {
		name   string
		policy placement.Policy
		nodes  []placement.Node
		want   []int
	}{
		{"no node", placement.Fill{}, nil, []int{}},
		{"fixed", placement.Fixed{}, []placement.Node{{Load: 0.9, Transports: 5}, {}, {}}, []int{0, 1, 2}},
		{"spread begins in turn", placement.Spread{}, []placement.Node{{Load: 0.9}, {}, {}}, []int{0, 1, 2}},
		{"spread goes where there are fewest", placement.Spread{}, []placement.Node{{Transports: 2}, {Transports: 1}, {Transports: 2}}, []int{1, 0, 2}},
		{"spread uses all nodes", placement.Spread{}, []placement.Node{{Transports: 1, All: 9}, {All: 3}, {All: 2}}, []int{2, 1, 0}},
		{"fill begins on the fullest", placement.Fill{}, []placement.Node{{Load: 0.1}, {Load: 0.5}, {Load: 0.3}}, []int{1, 2, 0}},
		{"fill takes idle nodes in turn", placement.Fill{}, []placement.Node{{}, {}}, []int{0, 1}},
		{"fill stays", placement.Fill{}, []placement.Node{{Load: 0.1, Transports: 1}, {Load: 0.5}, {Load: 0.3}}, []int{0, 1, 2}},
		{"fill stays on the fullest of several", placement.Fill{}, []placement.Node{{Load: 0.1, Transports: 9}, {Load: 0.5, Transports: 1}, {Load: 0.55}}, []int{1, 0, 2}},
		{"fill spills at the watermark", placement.Fill{}, []placement.Node{{Load: placement.Watermark, Transports: 1}, {Load: 0.2}, {Load: 0.3}}, []int{2, 1, 0}},
		{"fill returns where it was", placement.Fill{}, []placement.Node{{Load: 0.7, Transports: 9}, {Load: 0.2, Transports: 1}, {Load: 0.3}}, []int{1, 2, 0}},
		{"above every watermark a Router stays where it is about as loaded", placement.Fill{}, []placement.Node{{Load: 0.81}, {Load: 0.84, Transports: 1}, {Load: 0.82}}, []int{1, 0, 2}},
		{"above every watermark the least loaded", placement.Fill{}, []placement.Node{{Load: 0.9, Transports: 9}, {Load: 0.7}, {Load: 0.8}}, []int{1, 2, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, tt.policy.Order(tt.nodes)) })
	}
}
