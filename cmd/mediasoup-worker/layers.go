package main

import "fmt"

// layersEnv says which layers of a video are forwarded when not all fit.
const layersEnv = "GAZPACHO_LAYERS"

// parseLayers reports whether a value of layersEnv asks for mediasoup's rule.
func parseLayers(value string) (sharpFirst bool, err error) {
	switch value {
	case "", "smooth":
		return false, nil
	case "sharp":
		return true, nil
	}
	return false, fmt.Errorf("%s: invalid value '%s': want smooth or sharp", layersEnv, value)
}
