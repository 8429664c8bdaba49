// Command check reads the files of deploy/ and .github/ that only other programs understand, with those programs' own parsers: Dockerfiles
// (BuildKit), compose files, Kubernetes manifests and GitHub workflows. It needs neither a daemon nor a cluster. What only these could
// tell, such as whether an image can be pulled, it does not say.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// checks are by the names of files, the first that fits.
var checks = []struct {
	fits  func(name string) bool
	check func(name string) error
}{
	{func(name string) bool { return filepath.Base(name) == "Dockerfile" }, checkDockerfile},
	{func(name string) bool { return filepath.Base(name) == "compose.yaml" }, checkCompose},
	{func(name string) bool { return filepath.Base(filepath.Dir(name)) == "workflows" }, checkWorkflow},
	{func(name string) bool { return strings.HasSuffix(name, ".yaml") }, checkManifest},
}

func main() {
	failed := len(os.Args) < 2
	for _, name := range os.Args[1:] {
		if err := check(name); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

func check(name string) error {
	for _, c := range checks {
		if c.fits(name) {
			return c.check(name)
		}
	}
	return fmt.Errorf("no check is for such a file")
}
