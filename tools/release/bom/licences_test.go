package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	isc = `Copyright (c) 2020, Somebody

Permission to use, copy, modify, and/or distribute this software for any
purpose with or without fee is hereby granted, provided that the above
copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
`
	gpl = `This program is free software: you can redistribute it and/or modify
it under the terms of the GNU General Public License as published by
the Free Software Foundation, either version 3 of the License, or
(at your option) any later version.

This program is distributed in the hope that it will be useful,
but WITHOUT ANY WARRANTY; without even the implied warranty of
MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
GNU General Public License for more details.

You should have received a copy of the GNU General Public License
along with this program.  If not, see <https://www.gnu.org/licenses/>.
`
)

// module makes a module with these files.
func module(t *testing.T, files map[string]string) string {
	root := t.TempDir()
	for name, text := range files {
		name = filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	return root
}

func TestLicencesOfUsedPackagesCount(t *testing.T) {
	root := module(t, map[string]string{
		"LICENSE": isc, "NOTICE": "by Somebody", "used/inner/x.go": "package inner", "used/licence.md": isc, "unused/COPYING": gpl, "license.go": "package x",
	})
	l := &library{path: "example.org/x", version: "v1.0.0"}
	require.NoError(t, l.read(root, filepath.Join(root, "used/inner")))
	require.NoError(t, l.read(root, root), "a second package of the same module")
	require.Equal(t, []string{"ISC"}, l.licences)
	require.Len(t, l.files, 3)
	require.NoError(t, l.check([]string{"ISC"}))
	require.Contains(t, notices([]*library{l}), "example.org/x: used/licence.md\nexample.org/x: LICENSE\n\nCopyright")
	require.Contains(t, notices([]*library{l}), "by Somebody")
}

func TestRefusedLicences(t *testing.T) {
	read := func(files map[string]string) error {
		l := &library{path: "example.org/x", version: "v1.0.0"}
		root := module(t, files)
		if err := l.read(root, root); err != nil {
			return err
		}
		return l.check([]string{"ISC"})
	}
	require.ErrorContains(t, read(nil), "example.org/x@v1.0.0 has no licence")
	require.ErrorContains(t, read(map[string]string{"LICENSE": "Ask me."}), "LICENSE: the licence is not known")
	require.ErrorContains(t, read(map[string]string{"LICENSE": isc, "COPYING": gpl}), "the licence GPL-3.0")
	require.ErrorContains(t, read(map[string]string{"LICENSE": isc, "LICENSES/GPL-3.0-or-later.txt": gpl}), "is not allowed")
}
