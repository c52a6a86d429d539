package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/topicwire/topicwire/"

// mayImport is the map of docs/architecture.md: what each package may import of this project beside package aggregator.
// cmd/topicwire, which wires the rest together, is not bound.
var mayImport = map[string][]string{
	"aggregator":                         {},
	"aggregator/markup":                  {},
	"aggregator/config":                  {},
	"aggregator/schedule":                {},
	"aggregator/fetch":                   {},
	"aggregator/fetch/chaos":             {},
	"aggregator/hosts":                   {},
	"aggregator/parse":                   {"aggregator/markup", "aggregator/parse/scan"},
	"aggregator/parse/scan":              {},
	"aggregator/parse/internal/specimen": {},
	"aggregator/topic":                   {"aggregator/markup", "aggregator/topic/stem"},
	"aggregator/topic/stem":              {},
	"aggregator/topic/labelled":          {},
	"aggregator/topic/pack":              {},
	"aggregator/story":                   {"aggregator/markup"},
	"aggregator/story/near":              {"aggregator/markup"},
	"aggregator/story/group":             {"aggregator/story", "aggregator/story/near"},
	"aggregator/poll":                    {"aggregator/fetch", "aggregator/hosts", "aggregator/parse", "aggregator/schedule", "aggregator/story"},
	"aggregator/diff":                    {},
	"aggregator/opml":                    {},
	"aggregator/publish":                 {"aggregator/diff", "aggregator/markup", "aggregator/publish/chart"},
	"aggregator/publish/chart":           {},
	"aggregator/publish/folder":          {},
	"aggregator/export":                  {"aggregator/markup"},
	"aggregator/websub":                  {},
	"storage":                            {"storage/bolt"},
	"storage/bolt":                       {"storage/bolt/quickzstd"},
	"storage/bolt/quickzstd":             {},
	"storage/memory":                     {},
	"storage/storagetest":                {"storage", "storage/memory"},
}

// mayShare are the libraries that more than one package imports, and why.
var mayShare = map[string][]string{
	// An encoding of HTTP in the one, of records with a dictionary in the other: what a package around it could hold for
	// both is nothing but the library's own names.
	// An encoding that the one reads and the other writes.
	"github.com/andybalholm/brotli":      {"aggregator/fetch", "aggregator/publish"},
	"github.com/klauspost/compress/zstd": {"aggregator/fetch", "aggregator/publish", "storage/bolt"},
}

// goPackage is what `go list -json` says of a package.
type goPackage struct {
	ImportPath string
	Imports    []string
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages
		case err != nil:
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func TestArrowsPointTowardTheDomain(t *testing.T) {
	for _, p := range listPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if name == "cmd/topicwire" {
			continue
		}
		allowed, listed := mayImport[name]
		if !listed {
			t.Errorf("package %s is not on the map: add it here and to docs/architecture.md", name)
			continue
		}
		for _, imported := range p.Imports {
			ours, ok := strings.CutPrefix(imported, module)
			if ok && ours != "aggregator" && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s, which is not on the map", name, ours)
			}
			if name == "aggregator" && strings.Contains(imported, ".") {
				t.Errorf("package aggregator imports %s; it has only the standard library", imported)
			}
		}
	}
}

// TestEachLibraryHasOneImporter goes by packages: golang.org/x/net, golang.org/x/text and klauspost/compress are collections
// of libraries that have nothing to do with each other.
func TestEachLibraryHasOneImporter(t *testing.T) {
	importers := make(map[string][]string)
	for _, p := range listPackages(t) {
		for _, imported := range p.Imports {
			host, _, _ := strings.Cut(imported, "/")
			if strings.Contains(host, ".") && !strings.HasPrefix(imported, module) {
				importers[imported] = append(importers[imported], strings.TrimPrefix(p.ImportPath, module))
			}
		}
	}
	if len(importers) == 0 {
		t.Fatal("no third-party import found: the test looks in the wrong place")
	}
	for library, packages := range importers {
		if len(packages) > 1 && !slices.Equal(packages, mayShare[library]) {
			t.Errorf("%s is imported by %s; one package wraps a library for the others", library, strings.Join(packages, " and "))
		}
	}
}
