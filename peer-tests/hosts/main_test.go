package hosts_test

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// What the script that runs the tests says in the environment.
var (
	workerBinary = os.Getenv("WORKER_BIN")       // starts the worker on its own host
	cluster      = os.Getenv("GAZPACHO_CLUSTER") // the nodes; also for the worker
)

// Where things are; scripts/hosts.sh has the same addresses.
const (
	switchHost = "gzp-switch"
	appHost    = "gzp-app"
)

var (
	appAddress  = netip.MustParseAddr("10.0.0.10")
	peerAddress = netip.MustParseAddr("10.0.0.20")
	nodes       []netip.Addr
)

func TestMain(m *testing.M) {
	if workerBinary == "" || cluster == "" {
		fmt.Fprintln(os.Stderr, "these tests need hosts of their own: run make hosts")
		os.Exit(1)
	}
	for address := range strings.SplitSeq(cluster, ",") {
		nodes = append(nodes, netip.MustParseAddrPort(address).Addr())
	}
	os.Exit(m.Run())
}
