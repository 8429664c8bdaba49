package regions_test

import (
	"fmt"
	"net/netip"
	"os"
	"testing"
)

// What the script that runs the tests says in the environment.
var (
	workerBinary = os.Getenv("WORKER_BIN")
	nodeBinary   = os.Getenv("NODE_BIN")
	folder       = os.Getenv("GAZPACHO_TLS_DIR") // of certificates
)

// routerHost connects all others, and peersHost is where the tests run; scripts/regions.sh has the same names and addresses.
const (
	routerHost  = "gzr-net"
	peerAddress = "10.3.0.2"
)

// host is one on which a node or an application runs.
type host struct {
	name, region    string
	address         netip.Addr // for sessions, the bus and media
	pipe, announced netip.Addr // of nodes
	bus             bool
}

var nodes = []host{
	{"a", "eu", address("10.1.1.2"), address("10.1.1.3"), address("192.0.2.1"), true},
	{"b", "eu", address("10.1.2.2"), address("10.1.2.3"), address("192.0.2.2"), false},
	{"c", "us", address("10.2.1.2"), address("10.2.1.3"), address("192.0.2.17"), true},
	{"d", "us", address("10.2.2.2"), address("10.2.2.3"), address("192.0.2.18"), true},
}

var (
	appEU = host{name: "app-eu", region: "eu", address: address("10.1.9.2")}
	appUS = host{name: "app-us", region: "us", address: address("10.2.9.2")}
)

var address = netip.MustParseAddr

func TestMain(m *testing.M) {
	if workerBinary == "" || nodeBinary == "" || folder == "" {
		fmt.Fprintln(os.Stderr, "these tests need hosts of their own: run make regions")
		os.Exit(1)
	}
	os.Exit(m.Run())
}
