package main

import (
	"fmt"
	"log/slog"
	"strings"

	"gazpacho/fbs"
	"gazpacho/fbs/source"
)

// protocol is what the worker speaks, and what the log should say about it.
type protocol struct {
	release  string
	dialect  *fbs.Dialect
	warnings []warning
}

type warning struct {
	text string
	args []any
}

func (p *protocol) warn(text string, args ...any) {
	p.warnings = append(p.warnings, warning{text, append([]any{"version", p.release}, args...)})
}

// log writes the warnings.
func (p *protocol) log(logger *slog.Logger) {
	for _, w := range p.warnings {
		logger.Warn(w.text, w.args...)
	}
}

// protocol loads what the release speaks. packageFolder, unless empty, holds the package whose schema counts. Otherwise the
// embedded schemas do; for a release without one, that of the application's package, which search helps to find; and without
// a package, that of the nearest release.
func (c choice) protocol(packageFolder string, search func() []string) (*protocol, error) {
	p := &protocol{release: c.release}
	var err error
	if packageFolder != "" {
		if err = p.usePackage(packageFolder); err != nil {
			return nil, fmt.Errorf("%s: %w (named by %s)", packageEnv, err, c.source)
		}
		return p, nil
	}
	if p.dialect, err = fbs.Load(c.release); err != nil {
		return nil, fmt.Errorf("%w (named by %s)", err, c.source)
	}
	if fbs.IsKnown(c.release) {
		return p, nil
	}
	like, err := fbs.ServedLike(c.release)
	if err != nil {
		return nil, err
	}
	folder := findPackage(c.release, search())
	if folder == "" {
		p.warn("this worker does not know mediasoup's release, and did not find its package: it is served like the nearest release "+
			"known; set "+packageEnv+" to the folder of the package", "like", like.Version)
		return p, nil
	}
	if err := p.usePackage(folder); err != nil {
		p.warn("this worker does not know mediasoup's release, and cannot use the schema of its package: it is served like the "+
			"nearest release known", "like", like.Version, "package", folder, "error", err)
		return p, nil
	}
	p.warn("this worker does not know mediasoup's release: it speaks the schema of its package, and behaves like the nearest release "+
		"known", "like", like.Version, "package", folder)
	return p, nil
}

// usePackage compiles the schema of the package in a folder, which must be of the release.
func (p *protocol) usePackage(folder string) error {
	release, text, err := source.Read(folder)
	if err != nil {
		return err
	}
	if release != p.release {
		return fmt.Errorf("%s holds mediasoup %s, but the application speaks %s", folder, release, p.release)
	}
	if _, err := fbs.ServedLike(release); err != nil {
		return err
	}
	dialect, lacking, err := fbs.Compile(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	p.dialect = dialect
	if len(lacking) > 0 {
		p.warn("mediasoup's schema requires fields that this worker does not have: they stay absent", "fields", strings.Join(lacking, ", "))
	}
	return nil
}
