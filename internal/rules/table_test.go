package rules_test

// rule lists the folders that the packages in folder may import, tests aside. It applies to everything below folder that
// has no rule of its own.
type rule struct {
	folder string
	may    []string
	// impure packages reach the outside world, or connect the core to it: they may use goroutines, locks, sockets and the
	// clock.
	impure bool
}

// Lists of folders for several rules.
var (
	basics   = []string{"engine/api", "engine/unit", "engine/wire", "engine/packet"}
	machines = []string{"engine/bwe", "engine/data", "engine/dtls", "engine/ice", "engine/observer", "engine/rtpstream", "engine/sctp", "engine/srtp"}
	senders  = join(basics, machines, []string{"engine/netio"})
)

var rules = []rule{
	{folder: "engine/api"},
	{folder: "engine/api/apitest", may: []string{"engine/api"}, impure: true},
	{folder: "engine/unit"},
	{folder: "engine/wire", may: []string{"engine/unit"}},
	{folder: "engine/packet", may: []string{"engine/unit", "engine/wire"}},
	{folder: "engine/simnet", may: []string{"engine/unit"}},
	{folder: "engine/internal/enginetest", may: join(basics, []string{"engine/netio"}), impure: true},
	{folder: "engine/internal/medialab", may: join(senders, []string{"engine/media", "engine/transport", "engine/simnet", "engine/internal/enginetest"})},
	{folder: "engine/internal/medialab/report", may: []string{"engine/internal/medialab"}, impure: true},
	{folder: "engine/netio", may: []string{"engine/unit", "engine/packet", "internal/epoll"}, impure: true},
	{folder: "engine/shard", may: []string{"engine/unit"}, impure: true},

	{folder: "engine/bwe", may: basics},
	{folder: "engine/data", may: basics},
	{folder: "engine/ice", may: basics},
	{folder: "engine/observer", may: basics},
	{folder: "engine/rtpstream", may: basics},
	{folder: "engine/srtp", may: basics},
	{folder: "engine/sctp", may: basics},
	// pion's dtls is built on goroutines and net.Conn; it is wrapped here, once.
	{folder: "engine/dtls", may: join(basics, []string{"engine/wake"}), impure: true},
	{folder: "engine/wake", impure: true},

	{folder: "engine/look", may: []string{"engine/api"}},
	{folder: "engine/layer", may: []string{"engine/unit", "engine/wire", "engine/packet", "engine/rtpstream"}},
	{folder: "engine/media", may: join(basics, machines, []string{"engine/layer"})},
	{folder: "engine/transport", may: join(senders, []string{"engine/media", "engine/layer", "engine/look"})},
	{folder: "engine/runner", may: join(senders, []string{"engine/media", "engine/look", "engine/transport", "engine/shard"}), impure: true},
	{folder: "engine/router", may: join(basics, machines, []string{"engine/media", "engine/transport", "engine/runner"})},
	{folder: "engine", may: join(senders, []string{"engine/media", "engine/look", "engine/transport", "engine/shard", "engine/runner", "engine/router"}), impure: true},

	{folder: "fbs", may: []string{"engine/api", "fbs"}, impure: true},
	{folder: "channel", may: []string{"engine/api", "fbs"}, impure: true},
	{folder: "pipe", may: []string{"engine/api"}},
	{folder: "scaling/placement", may: []string{"engine/unit"}},
	{folder: "scaling/directory", may: []string{"engine/unit"}},
	{folder: "scaling/front", may: []string{"engine/api", "pipe", "scaling/placement"}, impure: true},
	{folder: "scaling/federation", may: []string{"engine/api"}, impure: true},
	{folder: "scaling/session", may: []string{"engine/unit"}},
	{folder: "scaling/link", may: []string{"engine/unit", "scaling/session"}},
	{folder: "scaling/membership", may: []string{"engine/unit"}},
	{folder: "scaling/reach", may: []string{"engine/unit", "scaling/membership"}, impure: true},
	{folder: "scaling/steering", may: []string{"engine/unit", "scaling/membership", "scaling/placement"}, impure: true},
	{folder: "scaling/identity", impure: true},
	{folder: "scaling/remote", may: []string{
		"engine/api", "engine/unit", "fbs", "internal/crowd", "pipe", "scaling/directory", "scaling/federation", "scaling/identity", "scaling/link", "scaling/membership",
		"scaling/placement", "scaling/reach", "scaling/session",
	}, impure: true},
	{folder: "scaling/bus", may: []string{"engine/unit", "scaling/identity", "scaling/membership"}, impure: true},
	{folder: "scaling/imports", may: []string{"engine/api", "internal/crowd", "internal/unixsocket", "scaling/front"}, impure: true},
	{folder: "metrics", may: []string{
		"engine/api", "engine/unit", "engine/media", "engine/shard", "engine/transport", "engine", "channel", "internal/crowd", "internal/unixsocket",
		"scaling/front", "scaling/reach", "scaling/remote", "scaling/steering",
	}, impure: true},
	{folder: "monitor", may: []string{
		"engine/look", "metrics", "scaling/identity", "scaling/membership", "scaling/remote",
	}, impure: true},
	{folder: "monitor/watched", may: []string{"engine", "engine/look"}, impure: true},
	{folder: "cmd", may: []string{
		"channel", "engine", "engine/api", "engine/dtls", "engine/look", "fbs", "internal/epoll", "internal/unixsocket", "metrics", "monitor",
		"monitor/watched", "scaling/bus", "scaling/directory", "scaling/front", "scaling/identity", "scaling/imports", "scaling/membership", "scaling/placement",
		"scaling/reach", "scaling/remote", "scaling/steering",
	}, impure: true},

	// These use the binary only.
	{folder: "compat-tests", impure: true},
	{folder: "node-harness", impure: true},
	// Encodes the protocol itself, to measure without Node in between.
	{folder: "node-harness/bench/control", may: []string{"engine/api", "fbs"}, impure: true},
	{folder: "internal/epoll", impure: true},
	{folder: "internal/coverage", impure: true},
	{folder: "internal/crowd", impure: true},
	{folder: "internal/directorybench", may: []string{
		"engine/api", "scaling/bus", "scaling/directory", "scaling/identity", "scaling/membership", "scaling/remote",
	}, impure: true},
	{folder: "internal/fuzzseed", impure: true},
	{folder: "internal/placementsim", may: []string{"engine/unit", "scaling/placement"}, impure: true},
	{folder: "internal/rules", impure: true},
	{folder: "internal/unixsocket", impure: true},
}

// libraries lists which folders may import an external module. A module that is not listed is not allowed.
var libraries = map[string][]string{
	"github.com/google/flatbuffers":  {"fbs"},
	"github.com/nats-io/nats-server": {"scaling/bus"},
	"github.com/nats-io/nats.go":     {"scaling/bus"},
	"github.com/pion/dtls":           {"engine/dtls"},
	"github.com/pion/rtp":            {"engine/srtp"},
	"github.com/pion/rtcp":           {"engine/wire", "engine/rtpstream", "engine/media", "engine/bwe", "engine/srtp", "engine/transport", "engine/internal/enginetest", "engine/internal/medialab"},
	"github.com/pion/srtp":           {"engine/srtp", "node-harness"},
	"github.com/pion/logging":        {"engine/dtls"},
	"github.com/stretchr/testify":    {"engine/api/apitest", "engine/internal/enginetest"},
	"github.com/BurntSushi/toml":     {"cmd"},
	"github.com/prometheus":          {"metrics"},
	"golang.org/x/crypto":            {"engine/dtls"},
	"golang.org/x/net":               {"node-harness"},
	"golang.org/x/sys":               {"cmd", "engine/netio", "scaling/remote", "internal/epoll", "node-harness", "node-harness/bench/control"},
}

func join(lists ...[]string) (all []string) {
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}
