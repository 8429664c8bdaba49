package main

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// block is a piece of code of which all statements run or none: a line of a profile.
type block struct {
	file       string
	start, end int // lines
	column     int // of the start
	statements int
}

var profileLine = regexp.MustCompile(`^(?:[^/]+/)(.+\.go):(\d+)\.(\d+),(\d+)\.\d+ (\d+) (\d+)$`)

// readProfile returns the functions that a profile is about, by "folder/file.go:Function" or "folder/file.go:Type.Method". The tests of
// each package add their own lines for the same blocks.
func readProfile(name, module string) (map[string]counts, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	reached := map[block]bool{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "mode:") {
			continue
		}
		m := profileLine.FindStringSubmatch(lines.Text())
		if m == nil {
			return nil, fmt.Errorf("%s: %q is no line of a profile", name, lines.Text())
		}
		var n [5]int
		for i := range n {
			n[i], _ = strconv.Atoi(m[2+i])
		}
		b := block{file: m[1], start: n[0], column: n[1], end: n[2], statements: n[3]}
		reached[b] = reached[b] || n[4] > 0
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	functions := map[string]counts{}
	files := map[string][]function{}
	for b, hit := range reached {
		if files[b.file] == nil {
			if files[b.file], err = functionsOf(filepath.Join(module, b.file)); err != nil {
				return nil, err
			}
		}
		for _, f := range files[b.file] {
			if f.start <= b.start && b.end <= f.end {
				c := functions[b.file+":"+f.name]
				c.statements += b.statements
				if !hit {
					c.missed += b.statements
				}
				functions[b.file+":"+f.name] = c
			}
		}
	}
	return functions, nil
}

type function struct {
	name       string
	start, end int // lines
}

// functionsOf returns the functions of a file. What is outside of functions has no blocks, but for variables that are functions.
func functionsOf(file string) (all []function, err error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range parsed.Decls {
		name := "var"
		if f, ok := d.(*ast.FuncDecl); ok {
			name = f.Name.Name
			if f.Recv != nil {
				name = receiver(f.Recv.List[0].Type) + "." + name
			}
		}
		all = append(all, function{name, set.Position(d.Pos()).Line, set.Position(d.End()).Line})
	}
	return all, nil
}

// receiver returns the name of a receiver's type.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return "?"
}

// exception is how many statements of a function no test reaches.
type exception struct{ least, most int }

var listLine = regexp.MustCompile(`^(\S+) (\d+)(?:-(\d+))? +\S.*$`)

// readList reads the list of exceptions.
func readList(name string) (map[string]exception, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	all := map[string]exception{}
	for i, line := range strings.Split(string(b), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		m := listLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("%s, line %d: want a function, a number of statements and a reason", name, i+1)
		}
		if _, twice := all[m[1]]; twice {
			return nil, fmt.Errorf("%s, line %d: %s is listed twice", name, i+1, m[1])
		}
		var e exception
		e.least, _ = strconv.Atoi(m[2])
		e.most = e.least
		if m[3] != "" {
			e.most, _ = strconv.Atoi(m[3])
		}
		if e.most == 0 || e.least > e.most {
			return nil, fmt.Errorf("%s, line %d: want a number above 0 or a range", name, i+1)
		}
		all[m[1]] = e
	}
	return all, nil
}
