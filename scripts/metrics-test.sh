#!/usr/bin/env bash
# Metrics of a worker and three nodes under load, as Prometheus sees them; the dashboard's queries; the alerts and their tests.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
source "$ROOT/scripts/harness.sh"
prepare_harness
need_package promtool prometheus
promtool check rules "$ROOT/deploy/prometheus/gazpacho.rules.yml"
promtool test rules "$ROOT/deploy/prometheus/gazpacho.rules_test.yml"
promtool check config "$ROOT/deploy/prometheus/prometheus.yml"
GAZPACHO=$ROOT/bin/gazpacho exec "$NODE" "$HARNESS/metrics/run.js"
