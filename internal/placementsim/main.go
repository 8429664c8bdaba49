// Placementsim compares policies of placement in a simulated cluster, on a virtual clock: fronts of several applications place people
// on nodes of which they know what real ones would, with the functions of scaling/placement that real ones use.
//
//	placementsim [-scale 1] [-seed 1] [-chart FILE]
//
// It prints a table in Markdown. docs/placement.md explains what is simulated, and shows the results.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	scale := flag.Float64("scale", 1, "size of the cluster: 1 is 1,000 nodes and 100,000 transports")
	seed := flag.Uint64("seed", 1, "seed of all chance")
	chart := flag.String("chart", "", "`file` for a chart (SVG)")
	flag.Parse()
	if err := run(os.Stdout, fullSize.scaled(*scale), *seed, *chart); err != nil {
		fmt.Fprintln(os.Stderr, "placementsim:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, size size, seed uint64, chart string) error {
	var results []result
	for _, c := range contenders() {
		results = append(results, simulate(size, c, seed))
	}
	writeTable(w, size, results)
	if chart == "" {
		return nil
	}
	return os.WriteFile(chart, drawChart(size, results), 0o644)
}

// writeTable prints what came out.
func writeTable(w io.Writer, size size, results []result) {
	row := func(cells ...string) { fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")) }
	row("policy", "nodes in use", "load: median, 95 %, 99 %", "above the watermark", "full", "refused as busy", "Routers on several nodes",
		"relays per room", "relayed", "deepest")
	row(slices.Repeat([]string{"---"}, 10)...)
	for i := range results {
		r := &results[i]
		s := r.at(size.death - time.Second)
		row(r.name, fmt.Sprint(s.used), percent(s.p50)+", "+percent(s.p95)+", "+percent(s.p99), percent(r.worstMinute(above)),
			percent(r.worstMinute(full)), ratio(r.busy, r.decisions), ratio(r.survey.split, r.survey.rooms),
			fmt.Sprintf("%.1f", float64(r.survey.relays)/float64(r.survey.rooms)), ratio(r.survey.relays, r.survey.delivered),
			fmt.Sprint(r.deepest))
	}
}

func ratio(part, whole int) string { return percent(float64(part) / float64(whole)) }

func percent(share float64) string {
	if share > 0 && share < 0.0995 {
		return fmt.Sprintf("%.1f %%", share*100)
	}
	return fmt.Sprintf("%.0f %%", share*100)
}
