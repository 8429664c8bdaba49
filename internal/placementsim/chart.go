package main

import (
	"bytes"
	"fmt"
	"html"
	"time"
)

// Sizes in pixels.
const (
	chartWidth   = 860
	panelHeight  = 230
	panelGap     = 70
	marginLeft   = 62
	marginRight  = 36
	marginTop    = 92
	marginBottom = 46
)

// colors are those of the policies, in their order; the last one is ours.
var colors = []string{"#8c8c8c", "#7b61c4", "#c98a00", "#2e8b57", "#4f9ddb", "#c2272d"}

// panel is a chart of something over time.
type panel struct {
	title string
	top   float64
	most  float64
	unit  string
	value func(*sample) float64
}

// drawChart returns an SVG: how many nodes are above the watermark, and how many are in use.
func drawChart(size size, results []result) []byte {
	const height = marginTop + 2*panelHeight + panelGap + marginBottom
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="Helvetica, Arial, sans-serif" font-size="13">`+"\n",
		chartWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", chartWidth, height)
	drawLegend(&b, results)
	for _, p := range []panel{
		{"Nodes above the watermark", marginTop, 100, " %", func(s *sample) float64 { return 100 * s.above }},
		{"Nodes in use", marginTop + panelHeight + panelGap, float64(size.nodes), "", func(s *sample) float64 { return float64(s.used) }},
	} {
		p.drawAxes(&b, size)
		for i := range results {
			p.drawLine(&b, size, &results[i], colors[i%len(colors)])
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func drawLegend(b *bytes.Buffer, results []result) {
	for i, r := range results {
		x, y := marginLeft+i%3*250, 24+i/3*24
		fmt.Fprintf(b, `<line x1="%d" y1="%d" x2="%d" y2="%d" stroke="%s" stroke-width="3"/>`, x, y-4, x+26, y-4, colors[i%len(colors)])
		fmt.Fprintf(b, `<text x="%d" y="%d" fill="#222222">%s</text>`+"\n", x+34, y, html.EscapeString(r.name))
	}
}

func (p *panel) x(size size, at time.Duration) float64 {
	return marginLeft + float64(at)/float64(size.end)*(chartWidth-marginLeft-marginRight)
}

func (p *panel) y(value float64) float64 { return p.top + panelHeight*(1-value/p.most) }

func (p *panel) drawAxes(b *bytes.Buffer, size size) {
	fmt.Fprintf(b, `<text x="%d" y="%.0f" fill="#222222" font-weight="bold">%s</text>`+"\n", marginLeft, p.top-12, p.title)
	for i := range 5 {
		value := p.most * float64(i) / 4
		fmt.Fprintf(b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#e4e4e4"/>`, marginLeft, p.y(value), chartWidth-marginRight, p.y(value))
		fmt.Fprintf(b, `<text x="%d" y="%.1f" text-anchor="end" fill="#666666">%g%s</text>`+"\n", marginLeft-8, p.y(value)+4, value, p.unit)
	}
	for at := time.Duration(0); at <= size.end; at += 2 * time.Minute {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" fill="#666666">%d min</text>`+"\n",
			p.x(size, at), p.top+panelHeight+20, int(at.Minutes()))
	}
	for _, event := range []struct {
		at   time.Duration
		name string
	}{{size.burst, "burst"}, {size.death, "a tenth of the nodes dies"}} {
		fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#999999" stroke-dasharray="3 3"/>`,
			p.x(size, event.at), p.top-18, p.x(size, event.at), p.top+panelHeight)
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" fill="#666666" font-size="12">%s</text>`+"\n", p.x(size, event.at)+5, p.top-7, event.name)
	}
}

// drawLine draws a point for each four seconds.
func (p *panel) drawLine(b *bytes.Buffer, size size, r *result, color string) {
	fmt.Fprintf(b, `<polyline fill="none" stroke="%s" stroke-width="2" stroke-linejoin="round" points="`, color)
	for i := 0; i < len(r.samples); i += 4 {
		s := &r.samples[i]
		fmt.Fprintf(b, "%.1f,%.1f ", p.x(size, s.at), p.y(p.value(s)))
	}
	b.WriteString("\"/>\n")
}
