package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// writePackage lays out an npm package with the given files.
func writePackage(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	return dir
}

const (
	oldSchema = "enum E: uint8 { A, B } table Gone { a: string; } table T { a: string; e: E; } root_type T;"
	newSchema = "enum E: uint8 { B } table T { a: string; e: E; } root_type T;"
)

// packages lays out three releases of two dialects, the youngest first in the order of names.
func packages(t *testing.T) string {
	return writePackage(t, map[string]string{
		"a/package.json":           `{"name": "mediasoup", "version": "1.10.0"}`,
		"a/worker/fbs/message.fbs": newSchema,
		"b/package.json":           `{"name": "mediasoup", "version": "1.2.3"}`,
		"b/worker/fbs/message.fbs": oldSchema,
		"c/package.json":           `{"name": "mediasoup", "version": "1.2.4"}`,
		"c/worker/fbs/message.fbs": oldSchema,
	})
}

// lines returns the lines of a file that are not comments.
func lines(t *testing.T, name ...string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(name...))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if line[0] != '#' {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

func TestDialectsShareAFile(t *testing.T) {
	out := writePackage(t, map[string]string{"0.9.0.fbsc": "stale"})
	require.NoError(t, generate(packages(t), "", out))
	require.Equal(t, []string{"release 1.2.3", "root T", "enum E uint8", "  0 A", "  1 B", "table Gone", "  0 a string", "table T", "  0 a string", "  1 e E"},
		lines(t, out, "1.2.3.fbsc"))
	require.Equal(t, []string{"1.2.3 1.2.3 package", "1.2.4 1.2.3 package", "1.10.0 1.10.0 package"}, lines(t, out, "releases.txt"))
	files, err := os.ReadDir(out)
	require.NoError(t, err)
	require.Len(t, files, 3)
}

// TestInferredReleases adds releases without a package to those with one: one like a release that shares its file, one with a
// schema of its own, and one that has a package after all, which counts.
func TestInferredReleases(t *testing.T) {
	inferred := writePackage(t, map[string]string{
		"releases.txt": "# a comment\n1.2.4 1.10.0 placed\n1.2.5 1.2.4 enclosed\n1.3.0 1.3.0 reconstructed\n1.3.1 1.3.0 placed\n",
		"1.3.0.txt":    "# why\nbase 1.2.4\nenum E uint8\n  7 A\nremove table Gone\n",
	})
	out := t.TempDir()
	require.NoError(t, generate(packages(t), inferred, out))
	require.Equal(t, []string{
		"1.2.3 1.2.3 package", "1.2.4 1.2.3 package", "1.2.5 1.2.3 enclosed", "1.3.0 1.3.0 reconstructed", "1.3.1 1.3.0 placed",
		"1.10.0 1.10.0 package",
	}, lines(t, out, "releases.txt"))
	require.Equal(t, []string{"release 1.3.0", "root T", "enum E uint8", "  7 A", "table T", "  0 a string", "  1 e E"}, lines(t, out, "1.3.0.fbsc"))
}

func TestWrongInferences(t *testing.T) {
	for name, c := range map[string]struct{ releases, edits, reason string }{
		"words":        {"1.3.0 1.2.3\n", "", "is not a release, another one and its evidence"},
		"release":      {"newest 1.2.3 placed\n", "", "not a release of mediasoup"},
		"like nothing": {"1.3.0 1.2.9 placed\n", "", "1.3.0 is like 1.2.9, which has no schema"},
		"no edits":     {"1.3.0 1.3.0 placed\n", "", "1.3.0.txt: it is empty"},
		"no base":      {"1.3.0 1.3.0 placed\n", "table T\n", "does not name the base"},
		"unknown base": {"1.3.0 1.3.0 placed\n", "base 1.2.9\n", "does not name the base"},
		"unknown name": {"1.3.0 1.3.0 placed\n", "base 1.2.3\nremove table U\n", `1.2.3 has no "table U"`},
	} {
		inferred := writePackage(t, map[string]string{"releases.txt": c.releases, "1.3.0.txt": c.edits})
		require.ErrorContains(t, generate(packages(t), inferred, t.TempDir()), c.reason, name)
	}
	require.ErrorContains(t, generate(packages(t), t.TempDir(), t.TempDir()), "releases.txt")
}

// TestDriftIsReported compares a made-up release with those known; nothing of it is like them.
func TestDriftIsReported(t *testing.T) {
	var page strings.Builder
	dir := writePackage(t, map[string]string{
		"package.json":           `{"name": "mediasoup", "version": "3.1000.0"}`,
		"worker/fbs/message.fbs": "namespace FBS.Message; table Message { what: string (required); } root_type Message;",
	})
	require.NoError(t, reportDrift(dir, &page))
	require.Contains(t, page.String(), "mediasoup 3.1000.0 speaks a new dialect. Against that of 3.")
	require.Contains(t, page.String(), "+what string required")
	require.Contains(t, page.String(), "The codec refuses this schema until this is solved:\n  FBS.Message.Message cannot hold a Request")

	dir = writePackage(t, map[string]string{
		"package.json":           `{"name": "mediasoup", "version": "3.12.0"}`,
		"worker/fbs/message.fbs": "table Message {} root_type Message;",
	})
	require.ErrorContains(t, reportDrift(dir, &page), "older than")
}

// TestDriftOfAKnownRelease asks about one that the table of releases has.
func TestDriftOfAKnownRelease(t *testing.T) {
	var page strings.Builder
	require.NoError(t, reportDrift("../../build/npm/node_modules/mediasoup", &page))
	require.Equal(t, "mediasoup 3.27.1 is known. It speaks the dialect of 3.27.0.\n", page.String())
}

func TestGenerationNeedsReleases(t *testing.T) {
	require.ErrorContains(t, generate(t.TempDir(), "", t.TempDir()), "no package")
	dir := writePackage(t, map[string]string{
		"a/package.json": `{"name": "mediasoup", "version": "newest"}`, "a/worker/fbs/message.fbs": "table A {} root_type A;",
	})
	require.ErrorContains(t, generate(dir, "", t.TempDir()), "not a release of mediasoup")
	dir = writePackage(t, map[string]string{"a/package.json": "{"})
	require.Error(t, generate(dir, "", t.TempDir()))
}

func TestDriftNeedsAPackage(t *testing.T) {
	require.Error(t, reportDrift(t.TempDir(), io.Discard))
}
