// Command report plays the laboratory's scenes and writes what came of them: a table to standard output, and charts as SVG.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gazpacho/engine/internal/medialab"
)

func main() {
	out := flag.String("charts", "", "folder for charts; none are written without it")
	only := flag.String("run", "", "play only scenes whose names match this regular expression")
	seed := flag.Uint64("seed", 1, "of all chance")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(medialab.TableHeader)
	for _, s := range slices.Concat(medialab.Narrowing, medialab.Losses, medialab.Filled) {
		if !pattern.MatchString(s.Name) {
			continue
		}
		run := s.Play(*seed)
		for i := range run.Results {
			fmt.Println(run.Results[i].Row())
		}
		if *out != "" {
			if err := write(*out, run); err != nil {
				log.Fatal(err)
			}
		}
	}
}

func write(folder string, run *medialab.Run) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(run.Scene.Name))
	return os.WriteFile(filepath.Join(folder, name+".svg"), []byte(run.Chart()), 0o644)
}
