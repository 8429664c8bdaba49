package bwe

import "gazpacho/engine/unit"

type arrivals struct{}
type lossHistory struct{ average float64 }
type rembEstimator struct{}

func newREMBEstimator() *rembEstimator { return &rembEstimator{} }
func (*rembEstimator) bitrate() unit.Bitrate { return 0 }
