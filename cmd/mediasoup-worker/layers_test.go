package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLayerRules(t *testing.T) {
	for value, sharpFirst := range map[string]bool{"": false, "smooth": false, "sharp": true} {
		got, err := parseLayers(value)
		require.NoError(t, err)
		require.Equal(t, sharpFirst, got)
	}
	_, err := parseLayers("Sharp")
	require.EqualError(t, err, "GAZPACHO_LAYERS: invalid value 'Sharp': want smooth or sharp")
}

func TestAWrongLayerRuleEndsTheProcess(t *testing.T) {
	p := launchAs(t, binaryPath, "3.27.1", append(os.Environ(), versionEnv+"=3.27.1", layersEnv+"=blurred"))
	code, stderr := p.exit()
	require.Equal(t, exitWrongSettings, code)
	require.Contains(t, stderr, "wrong settings: "+layersEnv)
}
