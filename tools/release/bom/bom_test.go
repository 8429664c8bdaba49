package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// schema returns CycloneDX' own schema, which the library ships with its source.
func schema(t *testing.T) *jsonschema.Schema {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	for id, file := range map[string]string{
		"bom-1.6.schema.json": "bom-1.6.schema.json", "spdx.schema.json": "spdx.schema.json", "jsf-0.82.schema.json": "jsf-0.82.schemax.json",
	} {
		f, err := os.Open(filepath.Join(strings.TrimSpace(string(out)), "schema", file))
		require.NoError(t, err)
		defer f.Close()
		document, err := jsonschema.UnmarshalJSON(f)
		require.NoError(t, err)
		require.NoError(t, compiler.AddResource("http://cyclonedx.org/schema/"+id, document))
	}
	compiled, err := compiler.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	require.NoError(t, err)
	return compiled
}

func validate(t *testing.T, text string) error {
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	return schema(t).Validate(document)
}

func TestBOMIsValidAndTheSameEachTime(t *testing.T) {
	libraries := []*library{
		{path: "example.org/x", version: "v1.0.0+incompatible", sum: "h1:abc=", licences: []string{"BSD-3-Clause", "MIT"}},
		{path: standard, version: "go1.26.0", licences: []string{"BSD-3-Clause"}},
	}
	programs := []*program{{
		name: "gazpacho", path: "gazpacho/cmd/gazpacho", modules: map[string]bool{"example.org/x@v1.0.0+incompatible": true},
		builds: []*debug.BuildInfo{{Settings: []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"}}}},
	}}
	write := func() string {
		name := filepath.Join(t.TempDir(), "bom.json")
		require.NoError(t, writeBOM(name, "1.2.3", "ISC", programs, libraries))
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		return string(text)
	}
	text := write()
	require.Equal(t, text, write())
	require.NoError(t, validate(t, text))
	require.Error(t, validate(t, strings.Replace(text, `"MIT"`, `"MITT"`, 1)), "the schema is one that refuses")
	require.Contains(t, text, `"pkg:golang/example.org/x@v1.0.0%2Bincompatible"`)
	require.Contains(t, text, `"linux/arm64"`)
}

// The whole program, on a binary that the Go tool makes of this package.
func TestRun(t *testing.T) {
	out := t.TempDir()
	binary := filepath.Join(out, "bom")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	require.NoError(t, build.Run())
	allowed := []string{"Apache-2.0", "BSD-3-Clause", "MIT"}
	require.NoError(t, run("1.2.3", "ISC", allowed, ".", out, []string{binary}))
	licences, err := os.ReadFile(filepath.Join(out, "THIRD-PARTY.txt"))
	require.NoError(t, err)
	require.Contains(t, string(licences), "github.com/google/licensecheck v0.3.1")
	require.Contains(t, string(licences), "std "+runtime.Version())
	bom, err := os.ReadFile(filepath.Join(out, "bom.cdx.json"))
	require.NoError(t, err)
	require.NoError(t, validate(t, string(bom)))

	require.ErrorContains(t, run("1.2.3", "ISC", []string{"MIT"}, ".", out, []string{binary}), "the licence Apache-2.0 is not allowed")
	require.ErrorContains(t, run("1.2.3", "ISC", allowed, ".", out, nil), "name the programs' binaries")
	require.Error(t, run("1.2.3", "ISC", allowed, ".", out, []string{"go.mod"}))
}
