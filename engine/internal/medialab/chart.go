package medialab

import (
	"fmt"
	"strings"
	"time"

	"gazpacho/engine/unit"
)

// Sizes of a chart, in pixels.
const (
	chartWidth  = 1000
	chartLeft   = 60
	chartRight  = 20
	rateHeight  = 260
	smallHeight = 90
	chartGap    = 40
)

// chart draws curves over time, one plot below another.
type chart struct {
	b     strings.Builder
	total time.Duration
	from  time.Duration
}

func (c *chart) x(at time.Duration) float64 {
	return chartLeft + (chartWidth-chartLeft-chartRight)*(at-c.from).Seconds()/c.total.Seconds()
}

// plot draws axes and a title, at the given height, for values up to max.
func (c *chart) plot(top, height int, title, unitName string, maximum float64) {
	fmt.Fprintf(&c.b, `<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="#999"/>`+"\n", chartLeft, top, chartWidth-chartLeft-chartRight, height)
	fmt.Fprintf(&c.b, `<text x="%d" y="%d">%s</text>`+"\n", chartLeft, top-6, title)
	for i := range 3 {
		value := maximum * float64(i) / 2
		fmt.Fprintf(&c.b, `<text x="%d" y="%.0f" text-anchor="end">%.0f%s</text>`+"\n", chartLeft-5, float64(top)+float64(height)*(1-float64(i)/2)+4, value, unitName)
	}
}

// curve draws a value of each sample.
func (c *chart) curve(samples []Sample, top, height int, maximum float64, color string, width float64, value func(*Sample) float64) {
	var points []string
	for i := range samples {
		y := float64(top) + float64(height)*(1-min(value(&samples[i])/maximum, 1))
		points = append(points, fmt.Sprintf("%.0f,%.0f", c.x(samples[i].At), y))
	}
	fmt.Fprintf(&c.b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="%.1f"/>`+"\n", strings.Join(points, " "), color, width)
}

// Chart returns the run as an SVG picture: bitrates, the queue, and the layer that is shown, with freezes behind them.
func (r *Run) Chart() string {
	samples := r.Samples
	c := chart{from: samples[0].At, total: samples[len(samples)-1].At - samples[0].At}
	var most unit.Bitrate = 500 * kbps
	for i := range samples {
		most = max(most, samples[i].Estimate, samples[i].Media)
	}
	limit := float64(most) / 1000 * 1.1
	height := rateHeight + 2*smallHeight + 4*chartGap
	fmt.Fprintf(&c.b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", chartWidth, height)
	fmt.Fprintf(&c.b, `<rect width="%d" height="%d" fill="white"/>`+"\n", chartWidth, height)
	for _, f := range r.Freezes {
		if f[1] > c.from {
			from := c.x(max(f[0], c.from))
			fmt.Fprintf(&c.b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="#f4c7c3"/>`+"\n", from, chartGap, c.x(f[1])-from, height-2*chartGap)
		}
	}
	r.marks(&c, height)
	top := chartGap
	c.plot(top, rateHeight, r.Scene.Name+" (kbit/s): link grey, estimate blue, media green, repairs red, probes orange; freezes shaded", "", limit)
	rate := func(of func(*Sample) unit.Bitrate) func(*Sample) float64 {
		return func(s *Sample) float64 { return float64(of(s)) / 1000 }
	}
	c.curve(samples, top, rateHeight, limit, "#888", 2, rate(func(s *Sample) unit.Bitrate { return s.Link }))
	c.curve(samples, top, rateHeight, limit, "#1a73e8", 1.5, rate(func(s *Sample) unit.Bitrate { return s.Estimate }))
	c.curve(samples, top, rateHeight, limit, "#188038", 1, rate(func(s *Sample) unit.Bitrate { return s.Media }))
	c.curve(samples, top, rateHeight, limit, "#d93025", 1, rate(func(s *Sample) unit.Bitrate { return s.Repairs }))
	c.curve(samples, top, rateHeight, limit, "#f29900", 1, rate(func(s *Sample) unit.Bitrate { return s.Probes }))
	top += rateHeight + chartGap
	c.plot(top, smallHeight, "queue", " ms", 400)
	c.curve(samples, top, smallHeight, 400, "#a142f4", 1.2, func(s *Sample) float64 { return float64(s.Queue) / 1e6 })
	top += smallHeight + chartGap
	c.plot(top, smallHeight, "layer: spatial, and temporal between", "", 9)
	c.curve(samples, top, smallHeight, 9, "#202124", 1.2, func(s *Sample) float64 { return float64(s.Layer + 1) })
	c.b.WriteString("</svg>\n")
	return c.b.String()
}

// marks draws where phases begin.
func (r *Run) marks(c *chart, height int) {
	at := c.from
	for i := range r.Scene.Phases {
		p := &r.Scene.Phases[i]
		fmt.Fprintf(&c.b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#ccc" stroke-dasharray="4"/>`+"\n", c.x(at), c.x(at), chartGap, height-chartGap)
		fmt.Fprintf(&c.b, `<text x="%.1f" y="%d">%s</text>`+"\n", c.x(at)+3, height-chartGap+14, escape(p.Name))
		at += p.Lasts
	}
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
