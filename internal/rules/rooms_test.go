package rules_test

// room is a folder of the module and the folders its packages may import, tests aside. A folder stands for everything
// below it that is not a room of its own.
type room struct {
	folder string
	may    []string
	// impure rooms touch the outside world, or bind machines to it: goroutines, locks, sockets and the clock are theirs.
	impure bool
}

// The rows that several rooms may import.
var (
	basics   = []string{"engine/api", "engine/unit", "engine/wire", "engine/packet"}
	machines = []string{"engine/bwe", "engine/data", "engine/dtls", "engine/ice", "engine/observer", "engine/rtpstream", "engine/sctp", "engine/srtp"}
	senders  = join(basics, machines, []string{"engine/netio"})
)

var rooms = []room{
	{folder: "engine/api"},
	{folder: "engine/api/apitest", may: []string{"engine/api"}, impure: true},
	{folder: "engine/unit"},
	{folder: "engine/wire", may: []string{"engine/unit"}},
	{folder: "engine/packet", may: []string{"engine/unit", "engine/wire"}},
	{folder: "engine/simnet", may: []string{"engine/unit"}},
	{folder: "engine/internal/enginetest", may: join(basics, []string{"engine/netio"}), impure: true},
	{folder: "engine/netio", may: []string{"engine/unit", "engine/packet", "internal/epoll"}, impure: true},
	{folder: "engine/shard", may: []string{"engine/unit"}, impure: true},

	{folder: "engine/bwe", may: basics},
	{folder: "engine/data", may: basics},
	{folder: "engine/ice", may: basics},
	{folder: "engine/observer", may: basics},
	{folder: "engine/rtpstream", may: basics},
	{folder: "engine/srtp", may: basics},
	// pion's dtls and sctp are built on goroutines and net.Conn; they are wrapped here, once.
	{folder: "engine/dtls", may: join(basics, []string{"engine/wake"}), impure: true},
	{folder: "engine/sctp", may: join(basics, []string{"engine/wake"}), impure: true},
	{folder: "engine/wake", impure: true},

	{folder: "engine/layer", may: []string{"engine/unit", "engine/wire", "engine/packet", "engine/rtpstream"}},
	{folder: "engine/media", may: join(basics, machines, []string{"engine/layer"})},
	{folder: "engine/transport", may: join(senders, []string{"engine/media"})},
	{folder: "engine/runner", may: join(senders, []string{"engine/media", "engine/transport", "engine/shard"}), impure: true},
	{folder: "engine/router", may: join(basics, machines, []string{"engine/media", "engine/transport", "engine/runner"})},
	{folder: "engine", may: join(senders, []string{"engine/media", "engine/transport", "engine/shard", "engine/runner", "engine/router"}), impure: true},

	{folder: "fbs", may: []string{"engine/api", "fbs"}, impure: true},
	{folder: "channel", may: []string{"engine/api", "fbs"}, impure: true},
	{folder: "pipe", may: []string{"engine"}, impure: true},
	{folder: "scaling", may: []string{"engine/api", "fbs", "pipe"}, impure: true},
	{folder: "cmd", may: []string{"channel", "engine", "engine/api", "engine/dtls", "fbs", "pipe", "scaling", "internal/epoll"}, impure: true},

	// These know the binary only.
	{folder: "compat-tests", impure: true},
	{folder: "node-harness", impure: true},
	// Speaks the protocol itself, to measure without Node in between.
	{folder: "node-harness/bench/control", may: []string{"engine/api", "fbs"}, impure: true},
	{folder: "internal/epoll", impure: true},
	{folder: "internal/fuzzseed", impure: true},
	{folder: "internal/rules", impure: true},
}

// libraries says which rooms may import a module of somebody else's; a library that is not listed here is not allowed.
var libraries = map[string][]string{
	"github.com/google/flatbuffers": {"fbs"},
	"github.com/pion/dtls":          {"engine/dtls"},
	"github.com/pion/rtp":           {"engine/srtp"},
	"github.com/pion/rtcp":          {"engine/wire", "engine/rtpstream", "engine/media", "engine/bwe", "engine/srtp", "engine/transport", "engine/internal/enginetest"},
	"github.com/pion/sctp":          {"engine/sctp"},
	"github.com/pion/srtp":          {"engine/srtp", "node-harness"},
	"github.com/pion/logging":       {"engine/dtls", "engine/sctp"},
	"github.com/stretchr/testify":   {"engine/api/apitest", "engine/internal/enginetest"},
	"golang.org/x/net":              {"node-harness"},
	"golang.org/x/sys":              {"cmd", "engine/netio", "internal/epoll", "node-harness", "node-harness/bench/control"},
}

func join(lists ...[]string) (all []string) {
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}
