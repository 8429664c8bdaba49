package metrics

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shownNames returns the names of all series.
func shownNames() map[string]bool {
	names := map[string]bool{}
	for _, g := range append([]group{{families: []family{buildInfo, requestsTotal, requestDuration}}}, groups...) {
		for _, f := range g.families {
			if f.kind != histogram {
				names[prefix+f.name] = true
				continue
			}
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				names[prefix+f.name+suffix] = true
			}
		}
	}
	return names
}

func deployed(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "deploy", filepath.FromSlash(name)))
	require.NoError(t, err)
	return text
}

var metricName = regexp.MustCompile(`gazpacho_\w+`)

// Each metric in a query of the dashboard exists, and so do the labels' names by which it selects and sums.
func TestTheDashboardAsksForWhatExists(t *testing.T) {
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating  struct{ List []struct{ Definition string } }
		Annotations struct{ List []struct{ Name, Expr string } }
	}
	require.NoError(t, json.Unmarshal(deployed(t, "grafana/gazpacho.json"), &dashboard))
	names, labels, queries := shownNames(), knownLabels(), 0
	check := func(where, query string) {
		for _, name := range metricName.FindAllString(query, -1) {
			require.True(t, names[name], "%s: there is no %s", where, name)
			queries++
		}
		for _, name := range labelsIn(query) {
			require.True(t, labels[name], "%s: no metric has the label %s", where, name)
		}
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			check(p.Title, target.Expr)
		}
	}
	for _, v := range dashboard.Templating.List {
		check("templating", v.Definition)
	}
	for _, a := range dashboard.Annotations.List {
		check(a.Name, a.Expr)
	}
	require.Greater(t, queries, 40, "there are more queries: the search is broken")
}

// labelsIn returns the labels that a query names.
func labelsIn(query string) (names []string) {
	for _, m := range regexp.MustCompile(`(\w+)(?:=~?|!=|!~)"|(?:by|on) \(([^)]*)\)`).FindAllStringSubmatch(query, -1) {
		if m[1] != "" {
			names = append(names, m[1])
			continue
		}
		for name := range strings.SplitSeq(m[2], ",") {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

// knownLabels are those of all families, and those that Prometheus adds: to each series, and to its series of alerts.
func knownLabels() map[string]bool {
	known := map[string]bool{"job": true, "instance": true, "le": true, "alertname": true, "alertstate": true, "severity": true}
	for _, g := range append([]group{{families: []family{buildInfo, requestsTotal, requestDuration}}}, groups...) {
		for _, f := range g.families {
			for _, l := range f.labels {
				known[l.name] = true
			}
		}
	}
	return known
}

func TestTheAlertsAskForWhatExists(t *testing.T) {
	names := shownNames()
	found := metricName.FindAllString(string(deployed(t, "prometheus/gazpacho.rules.yml")), -1)
	require.Greater(t, len(found), 12, "there are more: the search is broken")
	for _, name := range found {
		// In the explanations, histograms go by their own names.
		require.True(t, names[name] || names[name+"_bucket"], "there is no %s", name)
	}
}

// The page says what to do about each alert, and the dashboard shows it in a colour of its own.
func TestEachAlertIsExplained(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "operations.md"))
	require.NoError(t, err)
	dashboard := string(deployed(t, "grafana/gazpacho.json"))
	alerts := regexp.MustCompile(`(?s)alert: Gazpacho(\w+).*?severity: (\w+)`).
		FindAllStringSubmatch(string(deployed(t, "prometheus/gazpacho.rules.yml")), -1)
	require.Greater(t, len(alerts), 12, "there are more: the search is broken")
	for _, alert := range alerts {
		name, severity := alert[1], alert[2]
		require.Contains(t, string(page), "\n| Gazpacho"+name+" |")
		require.Contains(t, dashboard, `"options": "`+severity+": "+name+`"`)
	}
}
