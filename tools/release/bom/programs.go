package main

import (
	"cmp"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// program is one of the release's programs, on all platforms that it is built for.
type program struct {
	name    string // such as gazpacho
	path    string // of its package
	modules map[string]bool
	// What was built: what the packages depend on differs by platform.
	builds []*debug.BuildInfo
}

// library is a module, or Go's standard library, that is linked into a program.
type library struct {
	path, version, sum string
	licences           []string // SPDX ids
	files              []licenceFile
}

// standard is the path of Go's standard library in lists of modules.
const standard = "std"

// id names a library in one version.
func (l *library) id() string { return l.path + "@" + l.version }

// readPrograms reads what the linker has written into binaries.
func readPrograms(binaries []string) ([]*program, error) {
	byPath := map[string]*program{}
	for _, name := range binaries {
		info, err := buildinfo.ReadFile(name)
		if err != nil {
			return nil, err
		}
		p := byPath[info.Path]
		if p == nil {
			p = &program{name: filepath.Base(info.Path), path: info.Path, modules: map[string]bool{}}
			byPath[info.Path] = p
		}
		p.builds = append(p.builds, info)
		p.modules[standard+"@"+info.GoVersion] = true
		for _, m := range info.Deps {
			p.modules[m.Path+"@"+m.Version] = true
		}
	}
	programs := make([]*program, 0, len(byPath))
	for _, p := range byPath {
		programs = append(programs, p)
	}
	slices.SortFunc(programs, func(a, b *program) int { return cmp.Compare(a.name, b.name) })
	if len(programs) == 0 {
		return nil, errors.New("name the programs' binaries")
	}
	return programs, nil
}

// readLibraries returns what the programs contain, in order, with the licences of those packages that they use.
func readLibraries(programs []*program, source string) ([]*library, error) {
	all := map[string]*library{}
	for _, p := range programs {
		for _, build := range p.builds {
			packages, err := listPackages(build, source)
			if err != nil {
				return nil, err
			}
			for _, m := range build.Deps {
				if m.Replace != nil {
					return nil, fmt.Errorf("%s is replaced: its licence is not known", m.Path)
				}
				l := &library{path: m.Path, version: m.Version, sum: m.Sum}
				if err := l.add(all, packages[m.Path]); err != nil {
					return nil, err
				}
			}
			std := &library{path: standard, version: build.GoVersion}
			if err := std.add(all, packages[standard]); err != nil {
				return nil, err
			}
		}
	}
	libraries := make([]*library, 0, len(all))
	for _, l := range all {
		libraries = append(libraries, l)
	}
	slices.SortFunc(libraries, func(a, b *library) int { return cmp.Compare(a.path, b.path) })
	return libraries, nil
}

// add puts a library into the table, or the files of packages that only this build uses to the one that is there.
func (l *library) add(all map[string]*library, p *packages) error {
	if p == nil {
		return fmt.Errorf("%s is in a binary, but is not used by its source", l.path)
	}
	known := all[l.id()]
	if known == nil {
		known = l
		all[l.id()] = l
	}
	for _, folder := range p.folders {
		if err := known.read(p.root, folder); err != nil {
			return err
		}
	}
	return nil
}

// packages are those of a module that a program uses.
type packages struct {
	root    string   // of the module
	folders []string // of the packages
}

// listPackages returns the packages that a build consists of, by the path of their module.
func listPackages(build *debug.BuildInfo, source string) (map[string]*packages, error) {
	command := exec.Command("go", "list", "-deps", "-json=Dir,Standard,Module", build.Path)
	command.Dir = source
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	for _, s := range build.Settings {
		if s.Key == "GOOS" || s.Key == "GOARCH" {
			command.Env = append(command.Env, s.Key+"="+s.Value)
		}
	}
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", build.Path, err)
	}
	root, err := goRoot()
	if err != nil {
		return nil, err
	}
	all := map[string]*packages{standard: {root: root, folders: []string{root}}}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p struct {
			Dir      string
			Standard bool
			Module   *struct {
				Path, Dir string
				Main      bool
			}
		}
		if err := decoder.Decode(&p); err != nil {
			return nil, err
		}
		if p.Standard || p.Module.Main {
			continue
		}
		m := all[p.Module.Path]
		if m == nil {
			m = &packages{root: p.Module.Dir}
			all[p.Module.Path] = m
		}
		m.folders = append(m.folders, p.Dir)
	}
	return all, nil
}

func goRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	return strings.TrimSpace(string(out)), err
}
