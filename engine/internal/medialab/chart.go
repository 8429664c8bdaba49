package medialab

import (
	"fmt"
	"math"
	"slices"
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
	letterWidth = 7 // about, at this size of type
)

// Colours of the curves.
const (
	colorLink     = "#888"
	colorEstimate = "#1a73e8"
	colorMedia    = "#188038"
	colorRepairs  = "#d93025"
	colorProbes   = "#f29900"
	colorFreeze   = "#f4c7c3"
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

// plot draws axes and a title, at the given height, for values up to maximum, with marks at so many parts of it.
func (c *chart) plot(top, height int, title, unitName string, maximum float64, parts int) {
	fmt.Fprintf(&c.b, `<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="#999"/>`+"\n", chartLeft, top, chartWidth-chartLeft-chartRight, height)
	fmt.Fprintf(&c.b, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n", chartLeft, top-8, escape(title))
	for i := range parts + 1 {
		share := float64(i) / float64(parts)
		fmt.Fprintf(&c.b, `<text x="%d" y="%.0f" text-anchor="end">%.0f%s</text>`+"\n", chartLeft-6, float64(top)+float64(height)*(1-share)+4, maximum*share, unitName)
	}
}

// legend names colours at the right end above a plot.
func (c *chart) legend(top int, entries [][2]string) {
	x := chartWidth - chartRight
	for _, e := range slices.Backward(entries) {
		x -= len(e[0])*letterWidth + 30
		fmt.Fprintf(&c.b, `<rect x="%d" y="%d" width="14" height="5" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n", x, top-14, e[1], x+19, top-8, escape(e[0]))
	}
}

// round returns the next number that is round, and half of it too.
func round(value float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(value)))
	for _, step := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8} {
		if step*power >= value {
			return step * power
		}
	}
	return 10 * power
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
	limit := round(float64(most) / 1000 * 1.05)
	height := rateHeight + 2*smallHeight + 4*chartGap
	fmt.Fprintf(&c.b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="13">`+"\n", chartWidth, height)
	fmt.Fprintf(&c.b, `<rect width="%d" height="%d" fill="white"/>`+"\n", chartWidth, height)
	for _, f := range r.Freezes {
		if f[1] > c.from {
			from := c.x(max(f[0], c.from))
			fmt.Fprintf(&c.b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", from, chartGap, c.x(f[1])-from, height-2*chartGap, colorFreeze)
		}
	}
	r.marks(&c, height)
	top := chartGap
	c.plot(top, rateHeight, r.Scene.Name+", kbit/s", "", limit, 2)
	c.legend(top, [][2]string{{"link", colorLink}, {"estimate", colorEstimate}, {"media", colorMedia}, {"repairs", colorRepairs}, {"probes", colorProbes}, {"freezes", colorFreeze}})
	rate := func(of func(*Sample) unit.Bitrate) func(*Sample) float64 {
		return func(s *Sample) float64 { return float64(of(s)) / 1000 }
	}
	c.curve(samples, top, rateHeight, limit, colorLink, 2, rate(func(s *Sample) unit.Bitrate { return s.Link }))
	c.curve(samples, top, rateHeight, limit, colorEstimate, 1.5, rate(func(s *Sample) unit.Bitrate { return s.Estimate }))
	c.curve(samples, top, rateHeight, limit, colorMedia, 1, rate(func(s *Sample) unit.Bitrate { return s.Media }))
	c.curve(samples, top, rateHeight, limit, colorRepairs, 1, rate(func(s *Sample) unit.Bitrate { return s.Repairs }))
	c.curve(samples, top, rateHeight, limit, colorProbes, 1, rate(func(s *Sample) unit.Bitrate { return s.Probes }))
	top += rateHeight + chartGap
	c.plot(top, smallHeight, "Queue of the link", " ms", 400, 2)
	c.curve(samples, top, smallHeight, 400, "#a142f4", 1.2, func(s *Sample) float64 { return float64(s.Queue) / 1e6 })
	top += smallHeight + chartGap
	c.plot(top, smallHeight, "Layer that is shown: three temporal ones for each of three sizes; 0: none", "", 9, 3)
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
		fmt.Fprintf(&c.b, `<text x="%.1f" y="%d">%s</text>`+"\n", c.x(at)+3, height-chartGap+16, escape(strings.ReplaceAll(p.Name, "->", "→")))
		at += p.Lasts
	}
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
