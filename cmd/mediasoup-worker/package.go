package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"

	"gazpacho/fbs/source"
)

// packageEnv names the folder of the application's mediasoup package, whose schema counts then. It is for applications whose
// package is not found, and for forks that keep mediasoup's release number.
const packageEnv = "GAZPACHO_MEDIASOUP_PACKAGE"

// Bounds of what is read of the parent's command line. Chosen here.
const (
	maxCommandLine = 1 << 16 // bytes
	maxArguments   = 32
)

// findPackage returns the folder of the mediasoup package of a release, searching the folders and everything above them as Node
// does: node_modules/mediasoup, or the folder itself. It returns "" if there is none.
func findPackage(release string, folders []string) string {
	seen := map[string]bool{}
	for _, folder := range folders {
		for dir := filepath.Clean(folder); !seen[dir]; dir = filepath.Dir(dir) {
			seen[dir] = true
			for _, candidate := range []string{filepath.Join(dir, "node_modules", "mediasoup"), dir} {
				if r, err := source.Release(candidate); err == nil && r == release {
					return candidate
				}
			}
		}
	}
	return ""
}

// applicationFolders returns the folders where the application may keep its packages: those of its scripts, its working
// directory, this process's working directory, and those of this binary. proc is the parent's folder in /proc, which only Linux
// has.
func applicationFolders(proc string, programs []string) (folders []string) {
	if dir, err := os.Readlink(filepath.Join(proc, "cwd")); err == nil {
		folders = append(scriptFolders(filepath.Join(proc, "cmdline"), dir), dir)
	}
	if dir, err := os.Getwd(); err == nil {
		folders = append(folders, dir)
	}
	for _, program := range programs {
		folders = append(folders, folderOf(program))
	}
	return folders
}

// scriptFolders returns the folders of the files that a command line may name; the main script is among them. dir is the working
// directory.
func scriptFolders(cmdline, dir string) (folders []string) {
	f, err := os.Open(cmdline)
	if err != nil {
		return nil
	}
	defer f.Close()
	text, _ := io.ReadAll(io.LimitReader(f, maxCommandLine)) // as much as can be read
	arguments := bytes.Split(text, []byte{0})
	for i, argument := range arguments {
		if i == 0 || i > maxArguments || len(argument) == 0 || argument[0] == '-' {
			continue
		}
		path := string(argument)
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		folders = append(folders, folderOf(path))
	}
	return folders
}

// folderOf returns the folder of a file, where links lead to, or the path itself if it is a folder.
func folderOf(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return path
	}
	return filepath.Dir(path)
}
