package bwe

import "math"

// Upstream's values.
const (
	capacityWeight       = 0.05 // of a new sample
	minCapacityDeviation = 0.4  // variance in kbit/s, divided by the capacity
	maxCapacityDeviation = 2.5
	capacityBounds       = 3 // standard deviations
)

// capacity averages the rates at which the path was found to be full (draft-ietf-rmcat-gcc-02 section 5.5). While the
// throughput agrees with it, the estimate approaches it in small steps. Rates are in kbit/s.
type capacity struct {
	estimate  float64 // 0: unknown
	deviation float64
}

func (c *capacity) add(bps, weight float64) {
	sample := bps / 1000
	if c.estimate == 0 {
		c.estimate = sample
		c.deviation = max(c.deviation, minCapacityDeviation)
	}
	c.estimate = (1-weight)*c.estimate + weight*sample
	err := c.estimate - sample
	c.deviation = (1-weight)*c.deviation + weight*err*err/max(c.estimate, 1)
	c.deviation = min(max(c.deviation, minCapacityDeviation), maxCapacityDeviation)
}

func (c *capacity) known() bool { return c.estimate > 0 }

// reset forgets the average. How much samples deviate from it is a property of the path and stays.
func (c *capacity) reset() { c.estimate = 0 }

func (c *capacity) bps() float64 { return c.estimate * 1000 }

// above and below say that a throughput contradicts the average.
func (c *capacity) above(bps float64) bool { return c.known() && bps > c.bps()+c.margin() }
func (c *capacity) below(bps float64) bool { return c.known() && bps < c.bps()-c.margin() }

func (c *capacity) margin() float64 {
	return capacityBounds * math.Sqrt(c.deviation*c.estimate) * 1000
}
