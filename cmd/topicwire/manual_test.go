package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheManualNamesTestsThatExist keeps the tables of the manual that say which test shows what from naming what is gone.
func TestTheManualNamesTestsThatExist(t *testing.T) {
	const root = "../.."
	defined := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	tests := make(map[string]bool)
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range defined.FindAllSubmatch(text, -1) {
			tests[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob(root + "/docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	named, names := 0, regexp.MustCompile("`(Test[A-Z]\\w+)`")
	for _, page := range pages {
		for _, m := range names.FindAllStringSubmatch(readFile(t, page), -1) {
			if named++; !tests[m[1]] {
				t.Errorf("%s names %s, which does not exist", filepath.Base(page), m[1])
			}
		}
	}
	if named < 50 {
		t.Errorf("only %d tests are named: the test looks in the wrong place", named)
	}
}
