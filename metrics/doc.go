// Package metrics shows operators what a worker or node does: as metrics for Prometheus, and whether it is alive and ready.
//
// The engine knows nothing of Prometheus. It counts for itself, in plain fields that its shards own (engine.Figures); this package
// asks for them when somebody scrapes, and says under which names they appear. The tables of families in this package are all there
// is: docs/metrics.md is made from them.
package metrics
