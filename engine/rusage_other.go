//go:build !unix

package engine

import "gazpacho/engine/api"

// resourceUsage has no source on this system.
func resourceUsage() (api.ResponseBody, error) {
	return nil, api.Errorf("resource usage is not available on this system")
}
