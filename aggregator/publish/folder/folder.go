// Package folder keeps a folder of published files up to date: it writes those whose bytes changed, each whole or not at
// all, and removes those that are no longer published. It touches nothing that it did not make: what it made stands in a
// list in the folder. A run that is stopped at any instant leaves whole files, and the next run finishes its work.
package folder

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ListName is the name of the file in the folder that lists what was made, a name a line.
const ListName = ".topicwire-files"

// partSuffix ends the names of files that are being written.
const partSuffix = ".topicwire-part"

// Folder is a folder of published files during one run. It is for one goroutine, and one run at a time.
type Folder struct {
	dir string
	// made are the files of earlier runs and of this one, kept those that this run published.
	made, kept map[string]bool
	list       *os.File
	report     Report
}

// Report counts what a run did.
type Report struct {
	Files   int `json:"files"`
	Written int `json:"written"`
	Removed int `json:"removed"`
	// Bytes is the size of all files together.
	Bytes int64 `json:"bytes"`
}

// Open begins a run in the folder, which is made where it is not there.
func Open(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder to publish into: %w", err)
	}
	f := &Folder{dir: dir, made: map[string]bool{}, kept: map[string]bool{}}
	listed, err := os.ReadFile(filepath.Join(dir, ListName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the list of published files: %w", err)
	}
	for name := range strings.Lines(string(listed)) {
		// The last line may be cut short by a crash; what is no name of a file in the folder is none of ours.
		if name, whole := strings.CutSuffix(name, "\n"); whole && isName(name) {
			f.made[name] = true
		}
	}
	f.list, err = os.OpenFile(filepath.Join(dir, ListName), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the list of published files: %w", err)
	}
	if len(listed) > 0 && listed[len(listed)-1] != '\n' {
		if _, err := f.list.WriteString("\n"); err != nil {
			return nil, errors.Join(fmt.Errorf("write the list of published files: %w", err), f.list.Close())
		}
	}
	return f, nil
}

// isName reports whether the name is that of a file in the folder, with slashes between its parts.
func isName(name string) bool {
	return name != "" && name != ListName && filepath.IsLocal(filepath.FromSlash(name)) && filepath.ToSlash(filepath.Clean(filepath.FromSlash(name))) == name &&
		!strings.ContainsAny(name, "\n\\")
}

// Put makes the file of the name, a slash-separated path in the folder, hold the bytes. A file that is there with the
// same bytes is not touched. One with other bytes that no run has made is an error.
func (f *Folder) Put(name string, body []byte) error {
	if !isName(name) {
		return fmt.Errorf("publish %q: that is no name of a file in the folder", name)
	}
	f.report.Bytes += int64(len(body))
	f.kept[name] = true
	path := filepath.Join(f.dir, filepath.FromSlash(name))
	there, err := os.ReadFile(path)
	same := err == nil && bytes.Equal(there, body)
	switch {
	case same && f.made[name]:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("publish %s: %w", name, err)
	case err == nil && !same && !f.made[name]:
		return fmt.Errorf("publish %s: the file is there already and was not made here; publish into a folder of its own", path)
	}
	if !f.made[name] { // before the file, so that a crash leaves none behind that is not listed
		if _, err := f.list.WriteString(name + "\n"); err != nil {
			return fmt.Errorf("write the list of published files: %w", err)
		}
		f.made[name] = true
	}
	if same {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("publish %s: %w", name, err)
	}
	if err := replace(path, body); err != nil {
		return fmt.Errorf("publish %s: %w", name, err)
	}
	f.report.Written++
	return nil
}

// replace puts a file in place under a temporary name first, so that who reads it sees the old bytes or the new ones.
func replace(path string, body []byte) error {
	part := path + partSuffix
	err := os.WriteFile(part, body, 0o644)
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, removeIfThere(part))
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Finish removes what earlier runs made and this one did not publish, with the folders that are empty then, and ends the
// run. A run that failed is ended by Abandon.
func (f *Folder) Finish() (Report, error) {
	var failed error
	names := make([]string, 0, len(f.kept))
	for name := range f.made {
		if f.kept[name] {
			names = append(names, name)
			continue
		}
		path := filepath.Join(f.dir, filepath.FromSlash(name))
		if err := errors.Join(removeIfThere(path), removeIfThere(path+partSuffix)); err != nil {
			failed = errors.Join(failed, fmt.Errorf("remove what is no longer published: %w", err))
			names = append(names, name)
			continue
		}
		f.report.Removed++
		f.removeEmpty(filepath.Dir(path))
	}
	f.report.Files = len(f.kept)
	slices.Sort(names)
	list := []byte(strings.Join(append(names, ""), "\n"))
	if err := replace(filepath.Join(f.dir, ListName), list); err != nil {
		failed = errors.Join(failed, fmt.Errorf("write the list of published files: %w", err))
	}
	return f.report, errors.Join(failed, f.list.Close())
}

// removeEmpty removes a folder and those around it as long as nothing is in them.
func (f *Folder) removeEmpty(dir string) {
	for dir != f.dir && len(dir) > len(f.dir) && os.Remove(dir) == nil {
		dir = filepath.Dir(dir)
	}
}

// Abandon ends a run that failed: what it wrote stays, nothing is removed.
func (f *Folder) Abandon() error { return f.list.Close() }
