package metrics

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"

	"gazpacho/channel"
	"gazpacho/engine"
	"gazpacho/engine/unit"
	"gazpacho/scaling/front"
	"gazpacho/scaling/remote"
	"gazpacho/scaling/steering"
)

// kind is what sort of metric a family is.
type kind string

const (
	counter   kind = "counter"
	gauge     kind = "gauge"
	histogram kind = "histogram"
)

// family is a metric with all its labels.
type family struct {
	name   string // without the prefix
	kind   kind
	help   string
	labels []label
	read   func(f *figures, to *samples)
}

// label is a label of a family.
type label struct {
	name   string
	values string // for people
	fields any    // in place of values: a struct whose fields are the values, in snake case
}

// fieldLabel is a label whose values are the fields of a struct of counters.
func fieldLabel(name string, counters any) label { return label{name: name, fields: counters} }

// prefix begins the names of all families.
const prefix = "gazpacho_"

// figures is what the families are read from. What the process has not is nil.
type figures struct {
	engine   *engine.Figures
	routers  int
	channel  channel.Figures
	front    front.Figures
	node     remote.Status
	steering steering.Figures
	// certificate is when it ends.
	certificate time.Time
}

// samples takes the samples of one family.
type samples struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	out  chan<- prometheus.Metric
}

func (s *samples) add(v float64, labels ...string) {
	s.out <- prometheus.MustNewConstMetric(s.desc, s.kind, v, labels...)
}

func (s *samples) count(v uint64, labels ...string) { s.add(float64(v), labels...) }

// histogram adds a histogram.
func (s *samples) histogram(h *unit.Histogram, bounds *unit.Bounds, labels ...string) {
	buckets, below := make(map[float64]uint64, len(bounds)), uint64(0)
	for i, bound := range bounds {
		below += h.Counts[i]
		buckets[bound] = below
	}
	s.out <- prometheus.MustNewConstHistogram(s.desc, h.Count(), h.Sum, buckets, labels...)
}

// fields adds a sample for each field of a struct of counters, by the field's name in snake case.
func (s *samples) fields(counters any) {
	for field, value := range reflect.ValueOf(counters).Fields() {
		s.count(value.Uint(), snakeCase(field.Name))
	}
}

// snakeCase writes DataBufferFull as data_buffer_full and NACKsUnsent as nacks_unsent.
func snakeCase(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		begins := i > 0 && unicode.IsUpper(r) &&
			(unicode.IsLower(runes[i-1]) || i+2 < len(runes) && unicode.IsLower(runes[i+1]) && unicode.IsLower(runes[i+2]))
		if begins {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// minInterval is how long figures are good for. Chosen here: those who ask without end do not keep the shards from their work.
const minInterval = 250 * time.Millisecond

// collector reads families for Prometheus' client.
type collector struct {
	families []family
	descs    []*prometheus.Desc
	take     func() *figures

	mu    sync.Mutex
	taken time.Time
	last  *figures
}

func newCollector(families []family, take func() *figures) *collector {
	c := &collector{families: families, take: take}
	for i := range families {
		c.descs = append(c.descs, families[i].desc())
	}
	return c
}

func (f *family) desc() *prometheus.Desc {
	var names []string
	for _, l := range f.labels {
		names = append(names, l.name)
	}
	return prometheus.NewDesc(prefix+f.name, f.help, names, nil)
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	now := c.figures()
	for i := range c.families {
		f := &c.families[i]
		s := &samples{desc: c.descs[i], out: out, kind: prometheus.GaugeValue}
		if f.kind == counter {
			s.kind = prometheus.CounterValue
		}
		f.read(now, s)
	}
}

// figures returns figures that are hardly older than now.
func (c *collector) figures() *figures {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil || time.Since(c.taken) >= minInterval {
		c.last = c.take()
		c.taken = time.Now()
	}
	return c.last
}

// stateNames returns the names of the states of an enumeration of the worker's protocol, by value, in lower case.
func stateNames(names []string) (lower []string) {
	for _, name := range names {
		lower = append(lower, strings.ToLower(name))
	}
	return lower
}

// oneOf lists the values of a label.
func oneOf(values ...string) string { return strings.Join(values, ", ") }

// layerName names a layer of which the highest stands for all above.
func layerName(i, highest int) string {
	if i == highest {
		return fmt.Sprintf("%d+", i)
	}
	return fmt.Sprint(i)
}

// ratio returns v, or 0 where v is no number.
func ratio(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}
