// Package monitor is the page of "gazpacho monitor": it finds nodes or workers, asks them what they carry (package watched answers), and
// serves a page that shows it. It only reads.
//
// A [Watch] asks all processes for a survey every few seconds, as long as it runs: that is what has them take samples. What a page shows
// beyond the overview is asked for while somebody looks at it (feed.go). Server serves the page, the answers as JSON, and the same as
// server-sent events whenever they change.
package monitor
