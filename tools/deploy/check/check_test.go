package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The project's own files pass.
func TestOwnFiles(t *testing.T) {
	for _, name := range []string{
		"deploy/docker/Dockerfile", "deploy/docker/compose.yaml", "deploy/kubernetes/gazpacho.yaml", ".github/workflows/release.yml",
	} {
		require.NoError(t, check(filepath.Join("../../..", name)), name)
	}
}

// Mistakes are found.
func TestMistakes(t *testing.T) {
	const service = "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec:\n  "
	for name, c := range map[string]struct{ file, text, want string }{
		"an instruction":     {"Dockerfile", "FROM scratch\nCOPPY a b\n", "unknown instruction: COPPY"},
		"a rule of BuildKit": {"Dockerfile", "FROM scratch as build\n", "FromAsCasing"},
		"no image":           {"Dockerfile", "ARG x=1\n", "it builds nothing"},
		"a compose key":      {"compose.yaml", "services: {a: {image: x, immage: y}}\n", "immage"},
		"a compose type":     {"compose.yaml", "services: {a: {image: x, read_only: [7]}}\n", "read_only"},
		"a manifest's key":   {"x.yaml", service + "clusterIPP: None\n", `unknown field "clusterIPP"`},
		"a manifest's type":  {"x.yaml", service + "ports: 7000\n", "cannot unmarshal number"},
		"a second document":  {"x.yaml", service + "clusterIP: None\n---\nkind: Nothing\n", `the kind " Nothing" is not known here`},
		"no manifest":        {"x.yaml", "", "it has no document"},
		"an expression":      {"workflows/x.yml", "on: push\njobs: {a: {runs-on: ubuntu-24.04, steps: [{run: 'echo ${{ githubb.ref }}'}]}}\n", "githubb"},
		"another file":       {"x.toml", "", "no check is for such a file"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), c.file)
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, []byte(c.text), 0o644))
			require.ErrorContains(t, check(file), c.want)
		})
	}
}
