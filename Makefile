# Gazpacho: mediasoup's media worker in Go. "make" builds it; "make test" and "make demo" set up what they need themselves.

GO       ?= go
BIN      := bin/mediasoup-worker
NODE_BIN := bin/gazpacho
MODE     ?= local

.PHONY: build test demo demo-cluster faults check coverage generate drift compat compat-matrix fuzz node-test browser-test browser-links peers hosts edumeet media-lab bench-fanout bench-control bench-server bench-workers bench-cluster simulate-placement metrics-test format clean examples bench-directory regions bench-idle demo-ffmpeg demo-conference lint autoscaler release install-test debian-test registry-test deploy-check monitor-test soak
.DEFAULT_GOAL := build

# Always runs: the Go tool knows what is up to date. It must not ask git, which may refuse a folder owned by another user.
build:
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -o $(BIN) ./cmd/mediasoup-worker
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -o $(NODE_BIN) ./cmd/gazpacho

# What a change must pass: checks, Go tests, mediasoup's suites, our Node tests, pion's peers, the demo.
test:
	scripts/test.sh

# demo-ffmpeg, then demo-conference; without a terminal, as in tests, it ends after the first.
demo: build
	scripts/demo.sh

# Ten seconds of ffmpeg's test picture and tone through the worker; recordings in build/demo.
demo-ffmpeg: build
	scripts/demo-ffmpeg.sh

# A conference in the browser, until it is interrupted: docs/conference.md. NODES=3 has it over three nodes of this machine, GUESTS=8 fills the
# room with WebRTC peers, LISTEN=0.0.0.0:3000 lets other machines in.
demo-conference: build
	scripts/demo-conference.sh

# Six people in one Router of an unchanged application, over three nodes of which one is killed.
demo-cluster: build
	scripts/demo-cluster.sh

# Faults of a cluster under load: nodes, networks and applications that fail. SEEDS=… (default 20), FAULTS=… selects some by name.
# BEFORE=… is a revision that nodes are upgraded from.
faults: build
	scripts/faults.sh --seeds $(or $(SEEDS),20) $(FAULTS)

# What a change must pass before tests with Node: ESLint, format, vet, staticcheck, generated files, tests (import rules and fuzz targets too).
check:
	scripts/check.sh

# The JavaScript (a part of make check).
lint:
	scripts/lint.sh

# The tests of scaling and pipe, which must reach all statements but those that scaling/uncovered.txt names (a part of make check).
coverage:
	scripts/coverage.sh

# Random inputs for every fuzz target, FUZZTIME=… each (default 1m); PACKAGE=engine/ice and TARGET=FuzzScript narrow it.
fuzz:
	FUZZTIME=$(FUZZTIME) PACKAGE=$(PACKAGE) TARGET=$(TARGET) scripts/fuzz.sh

# Regenerates the files that are made from the npm packages (fbs/schema), and docs/reference.md.
generate:
	fbs/gen/generate.sh
	scripts/reference.sh

# A page about a new release of mediasoup: the known dialect that it speaks, or what differs. RELEASE=… (default: npm's newest).
drift:
	fbs/gen/generate.sh --drift $(RELEASE)

# mediasoup's own test suites, as npm ships them. MODE=local (default), inprocess (three nodes in the worker),
# remote (one node), nodes (three) or cluster (three that find each other). KILL=20: one of them is killed every 20 s.
compat: build
	MODE=$(MODE) KILL=$(KILL) compat-tests/run.sh

# The suites of every release since 3.13.0. RELEASES=… selects: releases, --dialects or --few.
compat-matrix: build
	compat-tests/matrix.sh $(RELEASES)

# The project's tests through the unchanged Node API.
node-test: build
	MODE=$(MODE) scripts/node-test.sh

# Calls between pages of a real browser (Chromium, mediasoup-client). TESTS=… selects test files.
browser-test: build
	scripts/browser-test.sh $(TESTS)

# Links that become narrow, lose packets or stand, between the worker and Chromium: prints what the page shows (docs/media.md).
browser-links: build
	TEST_MINUTES=60 LINKS=all scripts/browser-test.sh node-harness/browser/test/links.test.js

# Prometheus scrapes a worker and three nodes under load; promtool checks what it finds, and the alerts.
metrics-test: build
	scripts/metrics-test.sh

# The monitor's page in Chromium, while nine people meet in the demo's conference over three nodes, 1,000 rooms come, and a node is killed.
monitor-test: build
	scripts/monitor-test.sh

# A release in build/release: archives, npm and Debian packages, checksums, a bill of materials, licences. PLATFORMS=… (default: all).
release:
	scripts/release.sh $(PLATFORMS)

# A release built and installed as users do: npm packages, a second build with the same bytes, a registry, Debian, what is in deploy/.
install-test: build
	scripts/install-test.sh --all

# Its parts, on what make release has built: the Debian package on a Debian of its own (root), and publishing to a registry here.
debian-test:
	scripts/debian-test.sh build/release/gazpacho_*_$$(dpkg --print-architecture).deb
registry-test:
	scripts/registry-test.sh build/release

# The files in deploy/ and the workflow, read by the parsers of those who use them.
deploy-check:
	$(GO) -C tools/deploy test -count=1 ./...

# WebRTC peers of pion, good and bad ones, against a worker built with the race detector; WORKER_BIN=… tests another binary.
peers: build
	MODE=$(MODE) scripts/peers.sh

# One Router over three hosts, which are network namespaces: needs root. 1 publisher, 60 subscribers, data, what crosses the
# network, Chromium moving from node to node.
hosts: build
	scripts/hosts-test.sh

# A cluster over two regions, on hosts that are network namespaces: needs root. What crosses between them, NAT, a firewall. RUN=… selects tests.
regions: build
	scripts/regions.sh $(if $(RUN),-test.run '$(RUN)')

# The example autoscaler (deploy/autoscaler) under a load that grows and falls: from one node to four and back, in two minutes.
autoscaler: build
	scripts/autoscaler.sh

# EduMeet's media node, unchanged, over the same hosts. DIR=… is a checkout of it, installed and built.
edumeet: build
	scripts/edumeet.sh $(DIR)

# What people see behind bad links, in virtual time: a table, and charts in build/media-lab. RUN=… selects scenes by name, SEED=… is
# that of all chance.
media-lab:
	$(GO) run ./engine/internal/medialab/report -charts build/media-lab -seed $(or $(SEED),1) -run '$(RUN)'

# The examples of docs/guides.md: a recording by GStreamer, a telephone in a room.
examples: build
	scripts/examples.sh

# CPU and memory per forwarded packet; WORKER_BIN=… measures another worker binary.
bench-fanout: build
	scripts/bench-fanout.sh

# Requests per second, and time and memory per idle transport, next to the C++ worker's; WORKER_BIN=… as above.
bench-control: build
	scripts/bench-control.sh

# Conferences at a normal and at a very high packet rate, behind one port of a WebRtcServer; WORKER_BIN=… as above.
bench-server: build
	scripts/bench-server.sh

# Several workers on one machine: all cores for each of them, beside a share of the cores for each.
bench-workers: build
	scripts/bench-workers.sh

# Requests, consumers, relays and rooms over nodes, and the worker without a cluster; BASE=… is a revision to compare that with.
bench-cluster: build
	scripts/bench-cluster.sh

# The directory of producers with 100,000 of them over five nodes: memory, time, look-ups, and the death of a node. PRODUCERS=… is another number.
bench-directory:
	$(GO) run ./internal/directorybench -producers $(or $(PRODUCERS),100000)

# What a cluster costs that does nothing, of 3 nodes and of 100; NODES=… are other numbers.
bench-idle: build
	scripts/bench-idle.sh

# Policies of placement in a simulated cluster of 1,000 nodes: the table and the chart of docs/placement.md. SCALE=0.1 is smaller.
simulate-placement:
	$(GO) run ./internal/placementsim -scale $(or $(SCALE),1) -chart docs/placement.svg

format:
	$(GO) tool -modfile=tools/go.mod gofumpt -w $$(scripts/go-files.sh)

clean:
	rm -rf bin build

# Everything at once, for long: applications do all that there is and close it again, on a worker, on nodes, on a cluster; what processes hold
# then must not grow. MINUTES=… for each mode (default: 15), SOAK=… are options of scripts/soak.sh. Tables and charts in build/soak.
soak: build
	scripts/soak.sh --minutes $(or $(MINUTES),15) $(SOAK)
