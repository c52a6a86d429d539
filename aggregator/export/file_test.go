package export_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/topicwire/topicwire/aggregator/export"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// folder gives what the folder holds: names and contents.
func folder(t *testing.T, path string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	held := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(path, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		held[e.Name()] = string(data)
	}
	return held
}

func only(held map[string]string, name, content string) bool {
	return len(held) == 1 && held[name] == content
}

func TestToFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.csv")
	for _, content := range []string{"first, and the longer one", "second"} {
		if err := export.ToFile(t.Context(), path, 0o666, text(content)); err != nil {
			t.Fatal(err)
		}
		if held := folder(t, dir); !only(held, "out.csv", content) {
			t.Errorf("folder holds %q, want out.csv with %q alone", held, content)
		}
	}
}

func TestToFileHasTheModeOfAnyNewFile(t *testing.T) {
	dir := t.TempDir()
	plain, err := os.OpenFile(filepath.Join(dir, "plain"), os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	plain.Close()
	if err := export.ToFile(t.Context(), filepath.Join(dir, "out"), 0o666, text("x")); err != nil {
		t.Fatal(err)
	}
	want, err := os.Stat(filepath.Join(dir, "plain"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.Stat(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	if got.Mode() != want.Mode() {
		t.Errorf("mode %v, want %v", got.Mode(), want.Mode())
	}
}

func TestToFileLeavesTheOldFileWhenItFails(t *testing.T) {
	broken := errors.New("broken")
	for name, fail := range map[string]func(cancel func()) func(io.Writer) error{
		"an error half-way": func(func()) func(io.Writer) error {
			return func(w io.Writer) error { return errors.Join(text("half")(w), broken) }
		},
		"the context ends before the file is in place": func(cancel func()) func(io.Writer) error {
			return func(w io.Writer) error { cancel(); return text("whole")(w) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "out.csv")
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			err := export.ToFile(ctx, path, 0o666, fail(func() { cancel(broken) }))
			if !errors.Is(err, broken) {
				t.Errorf("error %v, want %v", err, broken)
			}
			if held := folder(t, dir); !only(held, "out.csv", "old") {
				t.Errorf("folder holds %q, want the old file alone", held)
			}
		})
	}
}

// What a run that was killed has left behind does not stand in the way.
func TestToFilePassesOverLeftovers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	err := export.ToFile(t.Context(), path, 0o666, func(w io.Writer) error {
		return export.ToFile(t.Context(), path, 0o666, text("inner"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if held := folder(t, dir); !only(held, "out", "") {
		t.Errorf("folder holds %q, want the outer file, which is empty, alone", held)
	}
}

func TestToFileFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := export.ToFile(t.Context(), link, 0o666, text("new")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info, err)
	}
	if held := folder(t, dir); held["target"] != "new" {
		t.Errorf("folder holds %q", held)
	}
}

func TestToFileRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	for name, path := range map[string]string{
		"a folder":                  dir,
		"a device":                  os.DevNull,
		"a folder that is not here": filepath.Join(dir, "no", "out"),
	} {
		t.Run(name, func(t *testing.T) {
			err := export.ToFile(t.Context(), path, 0o666, func(io.Writer) error {
				t.Error("write was called")
				return nil
			})
			if err == nil || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want one that names %s", err, path)
			}
		})
	}
}
