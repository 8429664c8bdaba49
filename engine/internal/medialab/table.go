package medialab

import (
	"fmt"
	"time"
)

// TableHeader is the head of a Markdown table of results.
const TableHeader = `| scene | phase | media, second half | repairs | probes | estimate, lowest | freezes (s), longest | dropped | queue, p95 | frames/s, second half | layer | top after | changes/min | concealed | PLI, NACK | link used, met and 90 % after | others |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|`

// Row returns a result as a row of that table.
func (r *Result) Row() string {
	after := func(d time.Duration) string {
		if d < 0 {
			return "–"
		}
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("| %s | %s | %d, %d | %d | %d | %d, %d | %d (%.1f), %.2f | %.1f %% | %d, %d ms | %.0f, %.0f | %d | %s | %.0f | %.1f %% | %d, %d | %.0f %%, %s, %s | %d |",
		r.Scene, r.Phase, r.Media/kbps, r.SecondHalf/kbps, r.Repairs/kbps, r.Probes/kbps, r.Estimate/kbps, r.EstimateLow/kbps,
		r.Freezes, r.Frozen.Seconds(), r.LongestFreeze.Seconds(), 100*r.Dropped,
		r.Queue/time.Millisecond, r.QueueP95/time.Millisecond, r.FrameRate, r.SecondRate, r.Spatial, after(r.TopAfter), r.Changes, 100*r.Concealed, r.PLIs, r.NACKs, 100*r.Used, after(r.Met), after(r.Reached), r.Cross/kbps)
}
