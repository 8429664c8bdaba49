//go:build !unix

package engine

import "gazpacho/engine/api"

// readUsage has no source on this system.
func readUsage() (*api.WorkerResourceUsageResponse, cpuTimes, error) {
	return nil, cpuTimes{}, api.Errorf("resource usage is not available on this system")
}
