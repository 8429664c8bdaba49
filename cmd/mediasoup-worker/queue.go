package main

import (
	"fmt"
	"strconv"
)

// queueEnv is how many MiB may wait for the application before media is dropped.
const queueEnv = "GAZPACHO_CHANNEL_QUEUE"

// maxQueue, chosen here, is the largest value of queueEnv.
const maxQueue = 1024

// parseQueue returns the bytes that a value of queueEnv stands for; 0 if it is empty.
func parseQueue(value string) (bytes int, err error) {
	if value == "" {
		return 0, nil
	}
	mib, err := strconv.Atoi(value)
	if err != nil || mib < 1 || mib > maxQueue {
		return 0, fmt.Errorf("%s: invalid value '%s': want a number of MiB from 1 to %d", queueEnv, value, maxQueue)
	}
	return mib << 20, nil
}
