package front_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gazpacho/engine/api"
	"gazpacho/engine/api/apitest"
	"gazpacho/scaling/front"
)

func TestFrontKeepsTheContract(t *testing.T) {
	for name, options := range map[string]func() front.Options{
		"OverItself":       func() front.Options { return options(0) },
		"OverOneNode":      func() front.Options { return options(1) },
		"OverThreeNodes":   func() front.Options { return options(3) },
		"OverDistantNodes": func() front.Options { return distant(options(3), 1) },
	} {
		t.Run(name, func(t *testing.T) {
			apitest.Run(t, func(t testing.TB, emit api.Emitter) api.Worker {
				o := options()
				o.Emit = emit
				f, err := front.New(o)
				require.NoError(t, err)
				return f
			})
		})
	}
}
