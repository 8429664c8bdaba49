package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQueueSizes(t *testing.T) {
	for value, bytes := range map[string]int{"": 0, "1": 1 << 20, "32": 32 << 20, "1024": 1 << 30} {
		got, err := parseQueue(value)
		require.NoError(t, err)
		require.Equal(t, bytes, got)
	}
	for _, value := range []string{"0", "-1", "1025", "32MiB", " 1", "chicken", "99999999999999999999"} {
		_, err := parseQueue(value)
		require.EqualError(t, err, "GAZPACHO_CHANNEL_QUEUE: invalid value '"+value+"': want a number of MiB from 1 to 1024")
	}
}

func TestAWrongQueueSizeEndsTheProcess(t *testing.T) {
	p := launchAs(t, binaryPath, "3.27.1", append(os.Environ(), versionEnv+"=3.27.1", queueEnv+"=0"))
	code, stderr := p.exit()
	require.Equal(t, exitWrongSettings, code)
	require.Contains(t, stderr, "wrong settings: "+queueEnv)
}
