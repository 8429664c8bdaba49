package placement_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/scaling/placement"
)

func TestSource(t *testing.T) {
	tests := []struct {
		name    string
		feeders []placement.Feeder
		below   int
		want    int
	}{
		{"nobody has it", nil, 0, -1},
		{"the home", []placement.Feeder{{Feeds: 3}, {Depth: 1}}, 0, 0},
		{"a relay when the home feeds enough", []placement.Feeder{{Feeds: 4}, {Depth: 1}}, 0, 1},
		{"the home also when it is busy", []placement.Feeder{{Load: 0.99}, {Depth: 1}}, 0, 0},
		{"the relay nearest to the home", []placement.Feeder{{Feeds: 4}, {Depth: 2}, {Depth: 1, Feeds: 3}}, 0, 2},
		{"the relay that feeds the fewest", []placement.Feeder{{Feeds: 4}, {Depth: 1, Feeds: 2}, {Depth: 1, Feeds: 1}}, 0, 2},
		{"the relay with the least load", []placement.Feeder{{Feeds: 4}, {Depth: 1, Load: 0.2}, {Depth: 1, Load: 0.1}}, 0, 2},
		{"all feed enough", []placement.Feeder{{Feeds: 6}, {Depth: 1, Feeds: 5, Load: 0.7}, {Depth: 2, Feeds: 5}}, 0, 1},
		{"no further than the limit", []placement.Feeder{{Feeds: 9}, {Depth: placement.MaxDepth}}, 0, 0},
		{"nor what it feeds itself", []placement.Feeder{{Feeds: 9}, {Depth: 1}}, 2, 0},
		{"the home whatever it feeds itself", []placement.Feeder{{Feeds: 9}}, placement.MaxDepth, 0},
		{"one of the own region, so that the producer comes there once", []placement.Feeder{{Far: true}, {Depth: 1}, {Depth: 1, Far: true}}, 0, 1},
		{"also one that feeds enough", []placement.Feeder{{Far: true}, {Depth: 1, Feeds: 4}}, 0, 1},
		{"the home of another region where the own are too far from it", []placement.Feeder{{Far: true}, {Depth: placement.MaxDepth}}, 0, 0},
		{"all are too far", []placement.Feeder{{Depth: 2}}, 1, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, placement.Source(tt.feeders, placement.FanOut, tt.below))
		})
	}
}
